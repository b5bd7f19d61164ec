-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The link is cut while RAM is copied: mirrors end before the guest's writes time out.",
  faults = { { "cut", event = "MIGRATION_PASS", role = "source" } },
  expect = {
    source = { ends = "aborted in copy", why = "the guest's writes wait for it" },
    guest = "source",
    total = "15s",
  },
}
