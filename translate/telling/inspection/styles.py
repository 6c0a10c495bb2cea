"""How the page of an inspection looks: on a light or dark screen, and on paper."""

from __future__ import annotations

STYLE = """
:root{--ink:#1c2430;--quiet:#5b6675;--line:#d9dee5;--ground:#fff;--soft:#f4f6f9;--bar:#2f6fb7;
--fits:#1d7a45;--loses:#96650a;--part:#b0541b;--none:#b3312c;color-scheme:light}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--quiet:#98a3b3;--line:#343d4a;--ground:#14181e;--soft:#1c222b;--bar:#5b9be0;
--fits:#58c98a;--loses:#e0b04f;--part:#ee935a;--none:#f0827c;color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem 4rem;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.4rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0}
.quiet,svg .quiet{color:var(--quiet);fill:var(--quiet)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.4rem,1fr));gap:.6rem;margin:1.2rem 0}
.tile{background:var(--soft);border-radius:6px;padding:.6rem .8rem}
.tile b{display:block;font-size:1.3rem;font-variant-numeric:tabular-nums;line-height:1.3}
.tile span{color:var(--quiet);font-size:.85rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;color:var(--quiet);font-weight:600}
th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.long,td code{overflow-wrap:anywhere}
td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.chart{overflow-x:auto}.chart svg{min-width:34rem}
svg{display:block;width:100%;height:auto;margin:.6rem 0}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .bar{fill:var(--bar)}svg .grid{stroke:var(--line);stroke-width:1}
.target{border:1px solid var(--line);border-left:5px solid var(--grade);border-radius:6px;padding:.9rem 1.1rem;margin:.9rem 0}
.target header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
.badge{color:var(--grade);font-weight:700}
.fits{--grade:var(--fits)}.loses{--grade:var(--loses)}.part{--grade:var(--part)}.drops,.none{--grade:var(--none)}
.target ul{margin:.4rem 0;padding-left:1.2rem}
.target li{margin:.25rem 0}
.warn{color:var(--none);font-weight:600}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--quiet)}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.88em}
@media print{:root{--ink:#000;--quiet:#444;--line:#bbb;--ground:#fff;--soft:#f4f4f4;--bar:#2f6fb7;
--fits:#1d7a45;--loses:#96650a;--part:#b0541b;--none:#b3312c;color-scheme:light}
body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}
.chart{overflow:visible}.chart svg{min-width:0}
tr,svg,.tile,.target li{break-inside:avoid}.target header{break-after:avoid}
.target details::details-content{content-visibility:visible;display:block}thead{display:table-header-group}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}@page{margin:16mm}}
"""
