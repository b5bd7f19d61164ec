-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Where the source's last look at its tap comes too late, nobody says zero lost.",
  model = { tls = "10GB/s" },
  faults = { { "refused", command = "query-status", state = "divert", nth = 2 },
    { "late", kernel = "delete ktm", role = "source" },
    { "late", kernel = "look at tap0", role = "source" } },
  expect = { source = { ends = "aborted in divert" }, dest = { ends = "aborted in holding" },
    guest = "source" },
}
