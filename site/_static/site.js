// What screen readers need beyond the theme.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("nav summary")) { // the arrows that unfold the list of pages
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link ? link.textContent.trim() : "this part"}`);
  }
  for (const part of document.querySelectorAll(".sig dl, .sig dd")) part.setAttribute("role", "presentation"); // lines of a signature
});
