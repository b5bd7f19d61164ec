-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Who wants it fast goes on when the guest stands too early; here nobody sends to it.",
  vars = { cutover = "fast" },
  model = { pps = "0" },
  faults = { { "late", word = "hold" } },
  expect = { source = { ends = "done" }, dest = { ends = "done" }, guest = "dest" },
}
