-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Nothing starts another QEMU: the guest stays, and it is said what would help.",
  faults = { { "late", word = "hold" } },
  expect = {
    source = { ends = "aborted in hold", why = "with `start` at the destination" },
    dest = { ends = "aborted" },
    guest = "source",
    lost = 0,
  },
}
