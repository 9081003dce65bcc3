/** System fonts only; both colour schemes; from 320 px up. Contrast of every text is at least 4.5 to 1. */
export const styles = `
:root {
  color-scheme: light dark;
  --ground: #eef1f7; --glow: #dfe6fb; --card: #ffffff; --ink: #161b2b; --soft: #535d74; --line: #d3d9e6; --edge: #848da3;
  --accent: #3d4fd8; --accent-ink: #ffffff; --accent-soft: #eceffd; --bad: #a8161f; --bad-soft: #fdeced;
  --shadow: 0 1px 2px rgb(20 28 60 / .07), 0 14px 40px -12px rgb(20 28 60 / .2);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d111c; --glow: #1a2243; --card: #161c2c; --ink: #e9ecf6; --soft: #a5afc6; --line: #313a52; --edge: #6f7a98;
    --accent: #8f9dff; --accent-ink: #0d1230; --accent-soft: #20294a; --bad: #ff9a9d; --bad-soft: #3a1a22;
    --shadow: 0 1px 2px rgb(0 0 0 / .4), 0 18px 50px -14px rgb(0 0 0 / .7);
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 24px 16px;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink);
  background: radial-gradient(60rem 36rem at 50% -12rem, var(--glow), transparent 70%) var(--ground) no-repeat;
}
main { width: 100%; max-width: 416px; background: var(--card); border: 1px solid var(--line); border-radius: 20px;
  padding: 32px; box-shadow: var(--shadow); }
.mark { display: block; color: var(--accent); margin-bottom: 12px; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.015em; margin: 0 0 4px; }
h2 { font-size: .8125rem; font-weight: 600; color: var(--soft); margin: 0 0 10px; }
p { margin: 0 0 16px; }
.soft { color: var(--soft); }
strong { font-weight: 600; color: var(--ink); }
form { margin: 0; }
label { display: block; font-weight: 600; font-size: .9375rem; margin: 14px 0 6px; }
input { width: 100%; font: inherit; color: inherit; background: transparent; border: 1px solid var(--edge);
  border-radius: 10px; padding: 10px 12px; min-height: 46px; }
input[aria-invalid="true"] { border-color: var(--bad); }
button { font: inherit; font-weight: 600; cursor: pointer; border: 0; border-radius: 10px; min-height: 46px;
  width: 100%; padding: 10px 16px; background: var(--accent); color: var(--accent-ink); text-align: center; }
button:hover { filter: brightness(1.07); }
.main-action { margin-top: 20px; }
button.quiet { background: transparent; color: var(--soft); font-weight: 500; margin-top: 8px; }
button.quiet:hover { background: var(--accent-soft); color: var(--ink); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input:focus-visible { outline-offset: 0; border-color: transparent; }
.problem { background: var(--bad-soft); color: var(--bad); border-radius: 10px; padding: 10px 14px; margin: 16px 0 0;
  font-size: .9375rem; }
.note { background: var(--accent-soft); border-radius: 10px; padding: 10px 14px; margin: 16px 0 0; font-size: .9375rem; }
.people { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.people form { height: 100%; }
.person { display: flex; gap: 10px; align-items: center; text-align: left; background: transparent; color: var(--ink);
  height: 100%; border: 1px solid var(--edge); padding: 8px 10px; font-weight: 400; min-height: 56px; }
.person:hover { background: var(--accent-soft); border-color: var(--accent); filter: none; }
.person b { display: block; font-size: .9375rem; font-weight: 600; line-height: 1.3; }
.person small { display: block; color: var(--soft); font-size: .78125rem; line-height: 1.3; }
.code { font: 600 1.5rem/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: .08em; }
p.code { text-align: center; background: var(--accent-soft); border-radius: 10px; padding: 10px 8px; margin: 0; }
input.code { text-transform: uppercase; text-align: center; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.face { flex: none; width: 34px; height: 34px; border-radius: 50%; display: grid; place-items: center; font-weight: 600;
  font-size: .875rem; color: var(--accent); background: var(--accent-soft); }
.or { display: flex; align-items: center; gap: 12px; color: var(--soft); font-size: .8125rem; margin: 24px 0 16px; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
h2.next { margin-top: 24px; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 14px; margin: 10px 0 0; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 24px; color: var(--soft); font-size: .8125rem; }
footer p { margin: 0; }
@media (max-width: 400px) { main { padding: 24px 18px; border-radius: 16px; } }
@media (max-width: 380px) { .people { grid-template-columns: 1fr; } }
@media (prefers-reduced-motion: no-preference) { button { transition: background .12s, filter .12s, border-color .12s; } }
`;
