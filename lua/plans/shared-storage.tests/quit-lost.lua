-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A QEMU that waited in vain is ended, though the word for it was lost the first time.",
  faults = { { "unheard", reply = "migrate-continue" }, { "lost", command = "quit" } },
  expect = {
    source = { ends = "aborted in switchover" },
    dest = { ends = "aborted in loaded" },
    guest = "source",
  },
}
