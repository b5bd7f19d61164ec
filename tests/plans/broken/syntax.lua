-- a mistake in Lua is told at its line
return plan {
  name = "syntax", api = 1
  summary = "A comma is missing.",
}
