// Sets the chosen theme before the first paint, so that a reload does not flash. Without a choice the system decides.
(() => {
  try {
    const theme = localStorage.getItem("brokerlab.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage can be refused (private windows, strict settings): then the system decides.
  }
})();
