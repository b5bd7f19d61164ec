-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Whatever single thing goes wrong, there is one guest, or a person is called.",
  faults = "all",
}
