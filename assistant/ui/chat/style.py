"""How the chat looks, and its one key."""

CHAT_CSS = """
.who { align-items: stretch; }
.column-head { min-height: 24px; }
.which { display: none !important; }
.talk .message-wrap { margin: 0 !important; padding: 8px 0 16px; }
.talk .message-row { margin: 8px 16px 2px !important; max-width: calc(100% - 32px) !important; }
.talk .message-row.user-row { margin-top: 16px !important; }
.talk .message-buttons { margin: 0 16px !important; }
.talk .message-buttons .icon-button-wrapper { border: 0; background: none; box-shadow: none; }
.talk .bot.message:has(.thought-group) { border: 0; background: none; box-shadow: none;
    padding: 0; }
.talk .message-row:has(.thought-group) { margin-top: 0 !important;
    padding-right: 64px; width: calc(100% - 32px); }
.talk .thought-group { border: 0; background: none; margin: 0; padding: 0; }
.talk .thought-group .title { display: block; cursor: pointer; position: relative;
    padding: 0 0 0 24px; }
.talk .thought-group .title .md, .talk .thought-group .title p { display: inline; }
.talk .thought-group .title, .talk .thought-group .title p, .talk .thought-group .duration {
    font-size: 0.8rem; line-height: 1.5; color: var(--body-text-color-subdued); }
.talk .thought-group .title .md { opacity: 1; }
.talk .thought-group .arrow { position: absolute; left: 0; top: 0; width: 20px; height: 20px;
    display: grid; place-items: center; }
.talk .thought-group .arrow button { pointer-events: none; margin: 0 !important; }
.talk .message-buttons:has(+ .message-row .thought-group) { margin-bottom: -4px !important; }
.talk .message-row:has(.thought-group) + .message-buttons { align-self: flex-end;
    margin: -28px 16px 8px !important; }
.talk .thought-group .duration { margin-left: 8px; }
.talk .thought-group .content { padding: 4px 0 4px 24px; font-size: 0.85rem; }
.talk .thought-group pre, .talk .thought-group code { white-space: pre-wrap;
    overflow-wrap: anywhere; }
.talk [data-testid]:focus-visible, .talk .title:focus-visible { outline: 2px solid
    var(--color-accent); outline-offset: 2px; }
.talk .message:has(.edit-textarea) { width: min(420px, 60vw); }
.talk .edit-textarea { width: 100% !important; min-height: 72px !important; }
.doings button, .votes button, .samples button { flex-grow: 0 !important; }
.doings, .votes, .samples { flex-wrap: wrap; gap: 8px; }
.samples button { max-width: 100%; flex-basis: auto; }
.votes button.primary { font-weight: 600; }
#ask-box .stop-button, #ask-box .submit-button { min-height: 32px; }
@media (max-width: 720px) {
    .talk { height: clamp(280px, 44vh, 480px) !important; }
    .which { display: flex !important; }
    #columns > .column { display: none; }
    #columns:not([data-shown="right"]) > .left, #columns[data-shown="right"] > .right {
        display: flex; }
    .who .form > * { flex-basis: 100% !important; }
    .votes button { flex: 1 1 40% !important; }
    .doings button { flex: 1 1 40% !important; }
}
"""

# Escape stops, wherever the focus is; a menu that is open takes it first.
ESCAPE = """() => { document.addEventListener("keydown", (pressed) => {
    const stop = document.querySelector("#ask-box .stop-button");
    if (pressed.key === "Escape" && stop) stop.click();
}); }"""
