"""How the page looks, by day and by night, on a desk and on a phone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #e3e7ee; --paper: #fff; --band: #f6f8fb;
  --mark: #2563a8; --glow: #2563a83d }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #98a2b3; --line: #2c3440; --paper: #12161c;
  --band: #1a2029; --mark: #7db4f0; --glow: #7db4f045 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1180px;
  margin: 0 auto; padding: 24px 16px 64px }
h1 { font-size: 26px; margin: 0 } h1 + p { margin: 4px 0 0; color: var(--soft) }
h2 { font-size: 17px; margin: 36px 0 10px }
dl { display: flex; flex-wrap: wrap; gap: 6px 22px; margin: 0; font-size: 13px }
dl div { display: flex; gap: 6px } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 14px; min-width: 100% }
th, td { padding: 6px 12px 6px 0; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 500; vertical-align: bottom }
th:first-child, td:first-child { padding-left: 8px }
.number { text-align: right; font-variant-numeric: tabular-nums }
tbody tr:hover { background: var(--band) }
section:not(:has(details)) tbody tr:first-child { font-weight: 600 }
.shade { padding: 6px 8px; background: color-mix(in srgb, var(--mark) calc(var(--share) * 0.45), transparent) }
svg { width: 100%; min-width: 560px; max-width: 900px; display: block } section:has(> svg) { overflow-x: auto }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink) }
svg .name { text-anchor: end } svg .tick { text-anchor: middle; fill: var(--soft); font-size: 11px }
svg .grid { stroke: var(--line) } svg .bar { stroke: var(--glow); stroke-width: 10; stroke-linecap: round }
svg .seed { fill: var(--mark); opacity: 0.75 } svg .mean { stroke: var(--ink); stroke-width: 2 }
svg .value { font-variant-numeric: tabular-nums }
ul { padding-left: 18px; margin: 0 } li { margin-bottom: 8px; overflow-wrap: anywhere }
a { color: var(--mark) } summary { cursor: pointer; color: var(--mark) }
"""
