"""How the page looks: one accent, one neutral, system fonts, light and dark."""

import gradio as gr

from assistant.colours import BASE, LOOKUP, TUNED
from assistant.report_view.style import DARK, LIGHT, STYLE

PILES = {
    "train": TUNED,
    "validation": LOOKUP,
    "reworded": BASE,
    "unseen": "#7c3aed",
    "test": BASE,
}

SYSTEM = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]


def theme() -> gr.themes.Base:
    """Gradio's base theme with our accent; no font is fetched from anywhere."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=SYSTEM,
        font_mono=["ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
    ).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_text_color="white",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_500",
        color_accent="*primary_700",
    )


# A report's sections fold as the page's own do; its colours follow the page's choice.
_REPORT = f"""
.report {{ {LIGHT} }} .dark .report {{ {DARK} }}
.report .fold {{ border: 1px solid var(--edge); border-radius: 8px; padding: 0 16px;
    margin: 8px 0; }}
.report .fold > summary {{ padding: 12px 0; color: var(--ink); font-weight: 600; }}
.report progress {{ width: 100%; height: 8px; accent-color: {TUNED}; }}
"""

CSS = """
.gradio-container { width: 100% !important; max-width: 1240px !important;
    margin: 0 auto !important; }
footer { display: none !important; }
.brand h1 { font-size: 1.5rem; margin: 0; letter-spacing: -0.02em; }
.brand p { margin: 0; color: var(--body-text-color-subdued); }
.lead { font-size: 1.1rem; line-height: 1.5; margin: 4px 0; }
.quiet { color: var(--body-text-color-subdued); }
@media (max-width: 480px) { /* five steps beside each other on a phone */
    .tab-container button { padding: 8px 4px !important; font-size: 0.8rem !important; } }
.visitor { border: 1px solid var(--border-color-primary); border-top: 4px solid var(--bot);
    border-radius: 8px; padding: 16px 24px; min-height: 280px; display: flex;
    flex-direction: column; gap: 8px; }
.visitor h3 { margin: 0; }
.visitor span { display: inline-block; border: 1px solid var(--bot); border-radius: 16px;
    padding: 4px 12px; margin: 0 8px 8px 0; }
.visitor .box { margin-top: auto; border: 1px solid var(--border-color-primary);
    border-radius: 8px; padding: 8px 8px 8px 16px; display: flex; justify-content: space-between;
    align-items: center; color: var(--body-text-color-subdued); }
.visitor .box b { background: var(--bot); color: white; border-radius: 8px; padding: 4px 16px; }
.visitor small { color: var(--body-text-color-subdued); }
.empty { padding: 32px 24px; text-align: center; color: var(--body-text-color-subdued);
    border: 1px dashed var(--border-color-primary); border-radius: 8px; }
.strip { padding: 8px 16px; border-radius: 8px; background: var(--background-fill-secondary);
    border: 1px solid var(--border-color-primary); }
.bar { height: 8px; border-radius: 4px; overflow: hidden; display: flex; margin: 8px 0;
    background: var(--border-color-primary); }
.bar > i { display: block; height: 100%; }
.pairs { display: grid; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); }
.pair { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 12px 16px;
    overflow-wrap: anywhere; }
.pair b { display: block; margin-bottom: 4px; }
.piles { display: grid; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); }
.pile em { display: inline-block; width: 10px; height: 10px; border-radius: 2px; }
.findings { margin: 8px 0; padding-left: 20px; }
.head { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
.head { margin: 0; }
.head b.base { color: #a34e08; } .head b.tuned { color: #0f766e; }
.dark .head b.base { color: #fb923c; } .dark .head b.tuned { color: #2dd4bf; }
.html-container { padding: 0 !important; }
.answers * { font-family: var(--font) !important; }
.dark { --color-accent: #2dd4bf; }
.decisions { align-items: flex-end; }
.decisions button { min-height: 72px; }
@media (max-width: 640px) {
    .decisions button { flex-grow: 1; min-height: 48px; }
    .tab-container button { padding: 0 8px !important; }
}
.head code { font-size: 0.85em; }
.failed { border-left: 4px solid #b91c1c; padding: 8px 16px; }
pre.log { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8rem; max-height: 240px;
    overflow: auto; background: var(--background-fill-secondary); padding: 8px 12px; }
.bar.tall { height: 16px; }
.reading > * { margin: 8px 0; }
.badge { padding: 8px 16px; border-radius: 8px; border: 1px solid var(--border-color-primary);
    border-left-width: 4px; }
.badge b > span { display: inline-block; min-width: 1.2em; font-weight: 700; }
.badge.ready { border-left-color: #0d9488; }
.badge.ready-with-warnings { border-left-color: #c2610c; }
.badge.not-ready { border-left-color: #b91c1c; }
.findings.notes, .findings.notes li { color: var(--body-text-color-subdued); font-size: 0.9rem; }
.check { border-left: 4px solid #c2610c; padding: 4px 16px; }
.done { border-left: 4px solid #0d9488; padding: 4px 16px; margin: 4px 0; }
.sheet { overflow-x: auto; margin: 8px 0; }
.sheet table { border-collapse: collapse; font-size: 0.85rem; width: max-content;
    max-width: none; min-width: 100%; }
.sheet th, .sheet td { border: 1px solid var(--border-color-primary); padding: 4px 8px;
    text-align: left; vertical-align: top; max-width: 320px; overflow-wrap: anywhere; }
.sheet th { color: var(--body-text-color-subdued); font-weight: 600;
    background: var(--background-fill-secondary); }
pre.rendered { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem;
    max-height: 400px; overflow: auto; padding: 12px 16px; margin: 8px 0; border-radius: 8px;
    border: 1px solid var(--border-color-primary); background: var(--background-fill-secondary); }
mark.taught { background: #99f6e4; color: #134e4a; padding: 1px 2px; border-radius: 2px; }
.dark mark.taught { background: #115e59; color: #ccfbf1; }
.items .wrap { flex-direction: column; flex-wrap: nowrap; gap: 4px; max-height: 400px;
    overflow-y: auto; }
.items .wrap label { width: 100%; align-items: flex-start; white-space: normal;
    overflow-wrap: anywhere; }
/* What went wrong is said in words, beside its cause or in a message; not over what is shown. */
[data-testid="status-tracker"]:has(> .error) { display: none !important; }
.label-wrap > span { text-align: left; }
.act { align-items: flex-end; flex-wrap: wrap; }
.settings .form { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); }
.run-head { flex-wrap: wrap; }
.run-head > .grow { flex: 1 1 280px; }
.long { max-height: 400px; overflow: auto; }
.verdict { margin: 0 0 8px; }
.verdict b { padding-right: 4px; }
.numbers { display: grid; gap: 8px; margin: 8px 0;
    grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); }
.numbers > div { padding: 8px 12px; border-radius: 8px;
    border: 1px solid var(--border-color-primary); background: var(--background-fill-secondary); }
.numbers dt { font-size: 0.8rem; color: var(--body-text-color-subdued); }
.numbers dd { margin: 0; font-size: 1.1rem; font-variant-numeric: tabular-nums; }
.pair p { margin: 4px 0; }
.pair details { margin-top: 8px; }
.pair summary { cursor: pointer; color: var(--body-text-color-subdued); }
.choices { flex-wrap: wrap; }
/* A name too long for its list ends before the arrow. */
.secondary-wrap > input { padding-right: 28px !important; text-overflow: ellipsis; }
"""
CSS += _REPORT + STYLE
