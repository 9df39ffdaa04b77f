// Sets the theme before the first paint, so that no page flashes in the wrong colours. It is a file
// of its own because the content security policy allows no inline script. app/theme.ts does the rest.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("tutordesk.theme") || "system";
  } catch {}
  const dark =
    choice === "dark" ||
    (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  const root = document.documentElement;
  root.dataset.theme = dark ? "dark" : "light";
  const color = document.querySelector('meta[name="theme-color"]');
  if (color) color.setAttribute("content", dark ? "#0f1216" : "#f6f7f9");
})();
