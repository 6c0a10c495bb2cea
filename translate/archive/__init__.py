"""An archive on its way to the reader: its files are found (`sources`), recognised (`recognition`, by `looks`), planned and opened (`units`).

Their bytes (`stored`, from S3 by `spool`) are decompressed (`compression`) and cut into lines, which come in batches (`lines`,
`drawing`, `batches`); tables and the hub's own files come by `parquet`.
"""
