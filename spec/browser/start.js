// Karma would start as soon as the page is loaded; the specs are ready when their module, which
// reads goldens while it is evaluated, has resolved.
window.__karma__.loaded = () => {};
try {
  await import("/base/out/browser/specs.js");
  window.__karma__.start();
} catch (error) {
  window.__karma__.error(String(error?.stack ?? error));
}
