// HTML by hand: values are escaped unless they are HTML themselves; and the frame of every page.

export type Html = { readonly html: string };
type Value = Html | string | number | readonly Html[] | undefined | false;

/** `html\`<p>${text}</p>\``: what is put in is text, unless `html` made it. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return {
    html: parts.map((part, n) => (n === 0 ? part : rendered(values[n - 1]) + part)).join(''),
  };
}

function rendered(value: Value): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  if ('html' in value) return value.html;
  return value.map((part) => part.html).join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** `trouble` is what went wrong, read out by screen readers at once. */
export function page(title: string, body: Html, trouble?: string): string {
  const alert = trouble
    ? html`<p class="trouble" role="alert" id="trouble">${trouble}</p>`
    : undefined;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${trouble ? 'Error: ' : ''}${title} - Forecourt</title>
<link rel="stylesheet" href="/sign-in/style.css">
</head>
<body>
<main>
<h1>${title}</h1>
${alert}
${body}
</main>
</body>
</html>
`.html;
}

export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
label.check { font-weight: 400; }
input:not([type=checkbox]) { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; }
button { margin-top: 1.25rem; padding: .6rem 1.2rem; font: inherit; cursor: pointer; }
.trouble { border-left: .3rem solid #c00; padding: .5rem .75rem; }
.code { font-family: ui-monospace, monospace; font-size: 1.1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .5rem .4rem 0; border-bottom: 1px solid GrayText; }
img { display: block; background: #fff; padding: .5rem; max-width: 100%; }
`;
