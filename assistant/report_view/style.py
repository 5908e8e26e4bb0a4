"""How a report looks. The page and the file say what `--ink`, `--paper` and the rest are."""

from assistant.colours import BASE, INK, LOOKUP, TUNED

# Letters need more contrast than shapes do: AA on white and on near-black.
LIGHT = """--ink: #1e293b; --soft: #526072; --paper: #ffffff; --tint: #f4f6f8; --edge: #d5dbe3;
    --base-ink: #a34e08; --tuned-ink: #0f766e; --good: #0f766e; --bad: #b91c1c; --plain: #526072;
    --ins: #fde7d3; --del: #526072;"""
DARK = """--ink: #e5e9ef; --soft: #9aa7b8; --paper: #0b1120; --tint: #151d2e; --edge: #334155;
    --base-ink: #fb923c; --tuned-ink: #2dd4bf; --good: #2dd4bf; --bad: #f87171; --plain: #9aa7b8;
    --ins: #5a3110; --del: #9aa7b8;"""

STYLE = f"""
.report {{ color: var(--ink); line-height: 1.5; overflow-wrap: anywhere; }}
.report h3 {{ font-size: 1.1rem; font-weight: 600; margin: 16px 0 4px; }}
.report h4 {{ font-size: 1rem; font-weight: 600; margin: 0; }}
.report p {{ margin: 4px 0; }}
.report .quiet, .report small {{ color: var(--soft); }}
.report .quiet {{ font-size: 0.9rem; }}
.report details {{ margin: 8px 0; }}
.report summary {{ cursor: pointer; color: var(--soft); padding: 4px 0; }}
.report abbr {{ text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }}
.report .finding .lead {{ font-size: 1.2rem; line-height: 1.45; font-weight: 600; }}
.report .finding + .finding {{ margin-top: 16px; }}
.report .mark {{ display: inline-block; padding: 1px 10px; border-radius: 12px; margin: 0 4px;
    font-size: 0.9rem; font-weight: 600; border: 2px solid var(--plain); color: var(--plain);
    white-space: nowrap; }}
.report .mark i {{ font-style: normal; font-weight: 800; }}
.report .mark.better {{ color: var(--good); border-color: var(--good); }}
.report .mark.worse {{ color: var(--bad); border-color: var(--bad); border-style: double;
    border-width: 4px; }}
.report .mark.too-few {{ border-style: dashed; }}
.report .who.base {{ color: var(--base-ink); }}
.report .who.tuned {{ color: var(--tuned-ink); }}
.report .who {{ white-space: nowrap; }}
.report .panels {{ display: grid; gap: 8px 32px; margin: 8px 0;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }}
.report .panel {{ min-width: 0; display: grid; grid-row: span 5; gap: 0;
    grid-template: subgrid / minmax(0, 1fr); }}
.report .plot {{ margin: 16px 0; max-width: 560px; }}
.report .plot figcaption {{ font-weight: 600; }}
.report .plot figcaption .quiet {{ display: block; font-weight: 400; }}
.report .plot svg {{ display: block; width: 100%; height: auto; overflow: visible; }}
.report svg text {{ font: 12.5px system-ui, sans-serif; fill: var(--ink); }}
.report svg .tick {{ fill: var(--soft); }}
.report svg .value {{ font-weight: 600; }}
.report svg text.who.base {{ fill: var(--base-ink); }}
.report svg text.who.tuned {{ fill: var(--tuned-ink); }}
.report svg .grid {{ stroke: {INK}; stroke-opacity: 0.25; }}
.report svg .zero, .report svg .floor {{ stroke: var(--soft); stroke-dasharray: 4 3; }}
.report svg .diagonal {{ stroke: var(--soft); stroke-width: 1.5; }}
.report svg .ground {{ fill: {INK}; fill-opacity: 0.12; }}
.report svg .move {{ stroke: {LOOKUP}; stroke-width: 2; }}
.report svg .move.rose {{ stroke: {TUNED}; stroke-opacity: 0.6; }}
.report svg .move.fell {{ stroke: {BASE}; stroke-opacity: 0.7; stroke-dasharray: 4 2; }}
.report svg .dot.base, .report svg .column.base {{ fill: {BASE}; }}
.report svg .dot.tuned, .report svg .column.tuned {{ fill: {TUNED}; }}
.report svg .dot.lookup, .report svg .dot.retrieval {{ fill: {INK}; }}
.report svg .column.lookup, .report svg .column.retrieval, .report svg .column.both,
.report svg .column.none {{ fill: {LOOKUP}; }}
.report svg .column {{ fill-opacity: 0.55; }}
.report svg .column.none {{ fill-opacity: 0.3; }}
.report svg .whisker {{ stroke: {INK}; stroke-width: 3; stroke-opacity: 0.8; }}
.report svg .whisker.base {{ stroke: {BASE}; }}
.report svg .whisker.tuned {{ stroke: {TUNED}; }}
.report .sheet {{ overflow-x: auto; margin: 8px 0; }}
.report table {{ border-collapse: collapse; font-size: 0.9rem; min-width: 100%;
    font-variant-numeric: tabular-nums; color: var(--ink); }}
.report th, .report td {{ border: 0; border-bottom: 1px solid var(--edge); padding: 5px 10px;
    text-align: left; vertical-align: top; font-weight: 400; background: none; }}
.report td b {{ font-weight: 700; }}
.report td, .report tbody th {{ min-width: 3.5em; }}
.report thead th {{ color: var(--soft); white-space: nowrap; border-bottom-width: 2px; }}
.report .numbers-table td, .report .numbers-table th {{ white-space: nowrap;
    overflow-wrap: normal; }}
.report .numbers-table {{ font-size: 0.85rem; }}
.report .numbers-table th, .report .numbers-table td {{ padding: 5px 6px; }}
.report tbody th {{ color: var(--ink); }}
.report .numbers-table .mark {{ padding: 0 6px; font-size: 0.8rem; margin: 0; }}
.report td hr {{ border: 0; border-top: 1px dashed var(--edge); margin: 4px 0; }}
.report .terms {{ display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px;
    font-size: 0.9rem; margin: 8px 0; }}
.report .terms dt {{ font-weight: 600; }} .report .terms dd {{ margin: 0; }}
.report .heat {{ width: auto; min-width: 0; }}
.report .heat td {{ text-align: center; min-width: 3em; border: 1px solid var(--edge);
    background: color-mix(in srgb, {TUNED} calc(var(--heat) * 60%), transparent); }}
.report .heat td.right {{ outline: 2px solid var(--soft); outline-offset: -3px; }}
.report .asked {{ border: 1px solid var(--edge); border-radius: 8px; padding: 12px 16px;
    margin: 8px 0; break-inside: avoid; background: var(--paper); }}
.report .about {{ display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline;
    font-size: 0.9rem; }}
.report .moved {{ font-weight: 600; font-variant-numeric: tabular-nums; }}
.report .chip {{ background: var(--tint); border: 1px solid var(--edge); border-radius: 10px;
    padding: 0 8px; }}
.report .answers-of {{ display: grid; gap: 8px 24px; margin-top: 8px;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }}
.report .said {{ border-left: 3px solid {LOOKUP}; padding-left: 12px; min-width: 0; }}
.report .by {{ display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }}
.report .by details {{ margin: 0; font-size: 0.85rem; color: var(--soft); }}
.report .by summary {{ padding: 0; }}
.report .said.base {{ border-color: {BASE}; }}
.report .said.tuned {{ border-color: {TUNED}; border-left-width: 5px; }}
.report .approved, .report .words {{ white-space: pre-line; max-height: 18em; overflow: auto; }}
.report ins {{ background: var(--ins); color: inherit; text-decoration: underline;
    text-decoration-thickness: 2px; text-underline-offset: 3px; padding: 0 2px; }}
.report del {{ color: var(--del); text-decoration: line-through; padding: 0 2px; }}
.report .flags {{ margin: 4px 0 0; padding-left: 20px; font-size: 0.9rem; list-style: "⚑ ";
    color: var(--bad); }}
@media (max-width: 640px) {{
    .report .numbers-table {{ font-size: 0.8rem; }}
    .report .numbers-table th, .report .numbers-table td {{ padding: 5px 4px; min-width: 0; }}
    .report .numbers-table tbody th {{ white-space: normal; max-width: 5.5em; }}
    .report .numbers-table thead .who {{ white-space: normal; }}
    .report .terms {{ grid-template-columns: 1fr; gap: 0; }}
    .report .terms dd {{ margin-bottom: 8px; }}
    .report .finding .lead {{ font-size: 1.1rem; }}
}}
"""
