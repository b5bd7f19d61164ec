-- a name that is too long
return plan {
  name = "long-name", api = 1, summary = "Is broken.",
  role "node" { state "a-state-with-a-name-that-nobody-will-ever-want-to-read-to-its-very-end" { within = "1s", next = "done" } },
}
