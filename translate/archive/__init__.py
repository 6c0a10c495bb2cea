"""An archive on its way to the reader: its files are found (`sources`), planned and opened (`units`).

Their bytes (`stored`, from S3 by `spool`) are decompressed (`compression`) and cut into lines, which come in batches (`lines`,
`drawing`, `batches`); tables come by `table`, Parquet and the hub's own files by `parquet`.
"""
