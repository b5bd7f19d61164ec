-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The word that gives the guest away gets lost: it runs once, or a person is called.",
  faults = { { "cut", word = "yours", role = "source" } },
  expect = {
    source = { ends = "stranded", states = { "prepare", "…", "handover", "yours" } },
    dest = { ends = "stranded", states = { "…", "loaded" } },
    guest = "nowhere",
  },
}
