-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "What is begun again mirrors two disks again, to the new QEMU.",
  vars = { start = "/vm/start-qemu", drives = { "disk0", "disk1" } },
  faults = { { "late", word = "hold" } },
  expect = {
    source = { ends = "done", states = { "prepare", "mirror", "copy", "hold", "back",
      "unmirror", "again", "mirror", "copy", "hold", "divert", "equal", "…" } },
    dest = { ends = "done" },
    guest = "dest",
    lost = 0,
  },
}
