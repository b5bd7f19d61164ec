// SPDX-License-Identifier: Apache-2.0
// cli/help_texts.hh: what stands below the options in the help of each command.
#pragma once

namespace ktm::cli {

extern const char* const app_examples;
/// Of all commands together.
extern const char* const exit_codes;
extern const char* const simulator_examples;
extern const char* const run_examples;
/// All of it, for command lines of the first katamaran.
extern const char* const ancestor_help;
extern const char* const simulate_examples;
extern const char* const doctor_examples;
extern const char* const recover_examples;
extern const char* const peer_examples;
extern const char* const peer_key_examples;
extern const char* const plan_examples;
extern const char* const plan_check_examples;
extern const char* const plan_show_examples;
extern const char* const plan_graph_examples;
extern const char* const plan_list_examples;
extern const char* const plan_new_examples;
extern const char* const plan_diff_examples;
extern const char* const plan_test_examples;
extern const char* const qmp_examples;
extern const char* const show_examples;
extern const char* const timeline_examples;

}  // namespace ktm::cli
