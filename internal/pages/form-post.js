document.getElementById("continue").click();
