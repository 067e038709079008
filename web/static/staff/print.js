// The sheet's one button: browsers print, we only ask.
document.getElementById("print").addEventListener("click", () => print());
