// SPDX-License-Identifier: Apache-2.0
// cli/help_texts.cc: what stands below the options in the help of each command.
#include "cli/help_texts.hh"

namespace ktm::cli {

const char* const app_examples =
    "Examples:\n"
    "  katamaran qmp ./vm.qmp                        watch what happens to a VM\n"
    "  katamaran qmp ./vm.qmp query-status           run one QMP command\n"
    "  katamaran run freeze --var qmp=./vm.qmp --record night.jsonl\n"
    "                                                carry out a plan, and keep what happened\n"
    "  katamaran simulate freeze --var qmp=./vm.qmp --trace night.jsonl\n"
    "                                                play that again, without a VM\n"
    "  katamaran plan show freeze                    read what a plan does and takes\n"
    "  katamaran trace show run.jsonl.zst            read a recorded conversation\n"
    "  katamaran trace timeline run.jsonl.zst        see what happened, and for how long\n"
    "  katamaran doctor                              see whether this host is fit for it\n"
    "  katamaran recover                             take back what a killed run left\n"
    "\n";

const char* const exit_codes =
    "Exit codes: 0 done; 1 failed, or something was found; 2 wrong usage; 3 a run is stranded, "
    "left\n"
    "something behind or has no proof that was required, or a trial broke what must hold;\n"
    "4 undecided: the recording does not tell how it goes on; 130 interrupted.";

const char* const simulator_examples =
    "What 'katamaran' has that reads files and nothing else: no VM, no network and no other "
    "program\n"
    "can be reached from here. The commands are the same.\n"
    "\n"
    "Examples:\n"
    "  katamaran-sim simulate freeze --faults all\n"
    "  katamaran-sim plan check freeze\n"
    "  katamaran-sim trace show run.jsonl.zst\n"
    "\n";

const char* const run_examples =
    "PLAN is a path or a name; names are looked for in the working directory, "
    "KATAMARAN_PLAN_PATH,\n"
    "/etc/katamaran/plans and among the installed plans. The last line says how it ended, where "
    "the\n"
    "guest runs and what was left behind. A signal aborts in order: what was begun is undone.\n"
    "\n"
    "Examples:\n"
    "  katamaran run freeze --var qmp=./vm.qmp --var pause=200ms\n"
    "  katamaran run freeze --vars vars.json --record freeze.jsonl.zst\n"
    "  katamaran run freeze --var qmp=./vm.qmp --timeline freeze.svg\n"
    "  katamaran run freeze --var qmp=./vm.qmp --json\n"
    "\n"
    "Of two roles that run at once each has its run, one on each node, and both --peer-key with "
    "the\n"
    "same key, which 'katamaran peer key' makes.\n"
    "\n"
    "Exit codes: 0 done, 1 aborted and undone, 2 wrong usage or a wrong plan, 3 stranded or\n"
    "something could not be undone, or with --require-zero-loss no proof that nothing was lost,\n"
    "130 interrupted and undone.";

const char* const ancestor_help =
    "Command lines of the first katamaran are carried out as runs of plans; which one is said "
    "first.\n"
    "Exit codes are as they were: 0 done, 1 failed or stranded, 2 wrong usage, 130 interrupted.\n"
    "\n"
    "Both roles:\n"
    "  --mode source|dest         the role\n"
    "  --qmp SOCKET               /run/vc/vm/extra-monitor.sock if left out\n"
    "  --dest-ip ADDRESS          of the destination; it waits there\n"
    "  --vm-ip ADDRESS,…          of the guest\n"
    "  --shared-storage           the disks stay where they are; else they are copied:\n"
    "  --drive-id NAME,…          drive-virtio-disk0 if left out\n"
    "  --tunnel-mode ipip|gre     ipip if left out\n"
    "  --multifd-channels N       connections for RAM; one if left out\n"
    "  --log-format text|json\n"
    "The source:\n"
    "  --downtime MILLISECONDS    25 if left out\n"
    "  --auto-downtime            adds twice the time to the destination and back\n"
    "  --cni-convergence-delay S  how long the tunnel is kept at most\n"
    "The destination:\n"
    "  --tap NAME                 tap0_kata if left out\n"
    "  --tap-netns PLACE          its network namespace\n"
    "\n"
    "Options of 'katamaran run' may stand among them: --insecure, --record FILE, --json and more.\n"
    "The first katamaran did not encrypt what the nodes say to each other. Over a network this\n"
    "one needs --peer-key FILE, or KATAMARAN_PEER_KEY=FILE in the environment, with a key that\n"
    "'katamaran peer key' makes, at both nodes; or --insecure, with which nothing is encrypted.\n"
    "\n"
    "Examples:\n"
    "  katamaran --mode dest --shared-storage --dest-ip 10.0.0.2 --vm-ip 10.9.0.5\n"
    "  katamaran --mode source --shared-storage --dest-ip 10.0.0.2 --vm-ip 10.9.0.5";

const char* const doctor_examples =
    "A run looks at its VM and its host before it changes anything, and refuses to begin when\n"
    "something is bad. This looks at the same without a run: ok, warn, bad or unknown, and what "
    "to\n"
    "do about it. Only questions are asked; nothing is made and nothing is changed. What must be\n"
    "the same at both nodes is shown, and compared by the run.\n"
    "\n"
    "Examples:\n"
    "  katamaran doctor                              this host alone\n"
    "  katamaran doctor freeze --var qmp=./vm.qmp    a VM, and what earlier runs left of it\n"
    "  katamaran doctor shared-storage --role dest --var qmp=./vm.qmp \\\n"
    "      --var listen_ip=192.0.2.2 --var vm_ip=10.1.2.3\n"
    "                                                one side of a migration\n"
    "  katamaran doctor shared-storage --role dest --vars vars.json --json\n"
    "\n"
    "Exit codes: 0 nothing is bad, 1 something is bad, 2 wrong usage or a wrong plan, 130\n"
    "interrupted.";

const char* const simulate_examples =
    "Without --trace the plan is tried in a world of models: for each role a QEMU, a kernel and a\n"
    "katamaran of its own, a network between them, and packets for the guest. It says how long it\n"
    "takes, how long the guest stands, and where each packet went. With --faults every single\n"
    "thing that can go wrong does, each in a trial of its own, and what must hold in every\n"
    "migration is checked after each event; what does not is told with the command that shows it\n"
    "again. Vars that the plan needs and nobody gave are those of the world. With --fault one "
    "trial\n"
    "is told as it goes; NUMBER and HARM are what --list --json tells.\n"
    "\n"
    "With --trace the plan is carried out against what a QEMU said when it was\n"
    "recorded. Commands are found by their names and arguments, so that another sequence is "
    "answered,\n"
    "too, as far as the recording tells honestly what QEMU would have said; where it does not, "
    "the\n"
    "simulation ends undecided and says what was asked and what the recording holds. The same "
    "goes\n"
    "for the kernel, programs and signals. Nothing outside is touched.\n"
    "\n"
    "Examples:\n"
    "  katamaran simulate shared-storage --model ram=8G,dirty=300M/s,link=10G,pps=20k\n"
    "  katamaran simulate shared-storage --timeline move.svg\n"
    "  katamaran simulate freeze --faults all\n"
    "  katamaran simulate freeze --list --json             what crosses, and what can happen to "
    "it\n"
    "  katamaran simulate freeze --fault 9:late\n"
    "  katamaran simulate local-storage --runs 20 --seed 7\n"
    "  katamaran run freeze --var qmp=./vm.qmp --record day.jsonl.zst\n"
    "  katamaran simulate freeze --var qmp=./vm.qmp --trace day.jsonl.zst\n"
    "  katamaran simulate freeze --var qmp=./vm.qmp --var pause=10min --trace day.jsonl.zst "
    "--json\n"
    "\n"
    "Exit codes: as of 'run', the worst of all roles; 3 also where something did not hold that\n"
    "must; of --faults and --runs 1 if anything was found, 130 when it was interrupted; 2 wrong\n"
    "usage, or a fault that strikes nothing; 4 undecided: the recording does not tell how it goes\n"
    "on.";

const char* const recover_examples =
    "A run writes down how each change of this host is taken back, before it makes it. What a run\n"
    "that was killed has left is taken back here, newest first; what a living run has made is "
    "left\n"
    "alone. Where the journal is lost, devices, routes, qdiscs and filters are found by their\n"
    "marks, in this namespace, in those that 'ip netns' names, and in those that are given. They\n"
    "are told, and taken back with --by-mark: only you know that no run lives whose journal lies\n"
    "elsewhere. A recovery may be killed and begun again.\n"
    "\n"
    "Examples:\n"
    "  katamaran recover --dry-run                   what would be done\n"
    "  katamaran recover\n"
    "  katamaran recover --by-mark\n"
    "  katamaran recover --netns /proc/4242/ns/net --json\n"
    "\n"
    "Without its journal nobody knows how long a queue was before, nor what of an arrived guest\n"
    "was to stay: that stays.\n"
    "\n"
    "Exit codes: 0 nothing is left; 1 something is: it could not be taken back, was left alone, "
    "or\n"
    "--dry-run would take it back; 2 wrong usage.";

const char* const peer_examples =
    "Examples:\n"
    "  katamaran peer key                            a new key for both nodes, printed";

const char* const peer_key_examples =
    "A key is a text of 64 hexadecimal digits that nobody can guess. Who has it can command the "
    "VMs\n"
    "that are moved with it: it belongs on both nodes, and nowhere else. A file that exists is "
    "not\n"
    "overwritten, and one that others can read is refused by 'run'.\n"
    "\n"
    "Examples:\n"
    "  katamaran peer key peer.key                   a new file, of mode 0600\n"
    "  scp -p peer.key node-b:                       the same key at the other node\n"
    "\n"
    "Exit codes: 0 done, 1 the file could not be made.";

const char* const plan_examples =
    "Examples:\n"
    "  katamaran plan list                           the plans that can be named\n"
    "  katamaran plan show freeze                    vars, states, holds and undos\n"
    "  katamaran plan check freeze                   everything that is wrong\n"
    "  katamaran plan graph freeze --format svg      a picture for the runbook\n"
    "  katamaran plan new my-freeze --from freeze    a plan of your own, derived\n"
    "  katamaran plan diff my-freeze                 what it changes\n"
    "  katamaran plan test freeze                    its cases, played in a simulated world";

const char* const plan_check_examples =
    "Types, states, deadlines, relations of defaults, words, and events that nobody makes happen: "
    "all\n"
    "that can be known without a run.\n"
    "A plan that passes may still do the wrong thing: that is what 'plan test' and 'simulate' are "
    "for.\n"
    "\n"
    "Examples:\n"
    "  katamaran plan check freeze\n"
    "  katamaran plan check shared-storage local-storage\n"
    "  katamaran plan check freeze --json            file, line and column of each fault\n"
    "\n"
    "Exit codes: 0 nothing is wrong, 1 the output could not be written, 2 something is wrong, or\n"
    "wrong usage.";

const char* const plan_show_examples =
    "Examples:\n"
    "  katamaran plan show shared-storage            vars, states, holds and undos\n"
    "  katamaran plan show local-storage --json\n"
    "\n"
    "Exit codes: 0 done, 1 the output could not be written, 2 wrong usage or a wrong plan.";

const char* const plan_graph_examples =
    "Examples:\n"
    "  katamaran plan graph freeze                   Mermaid, which many wikis draw\n"
    "  katamaran plan graph shared-storage --format svg > plan.svg\n"
    "  katamaran plan graph freeze --format dot\n"
    "\n"
    "Exit codes: 0 done, 1 the output could not be written, 2 wrong usage or a wrong plan.";

const char* const plan_list_examples =
    "Plans are looked for in the working directory, KATAMARAN_PLAN_PATH, /etc/katamaran/plans and "
    "among\n"
    "the installed ones; the first of a name counts, and those behind it are shown as hidden.\n"
    "\n"
    "Examples:\n"
    "  katamaran plan list\n"
    "  katamaran plan list --json\n"
    "\n"
    "Exit codes: 0 done, 1 the output could not be written, 2 wrong usage.";

const char* const plan_new_examples =
    "Writes NAME.lua, which derives from PLAN and changes nothing yet, and NAME.tests with its "
    "first\n"
    "case, both in the working directory. Nothing that exists is overwritten.\n"
    "\n"
    "Examples:\n"
    "  katamaran plan new our-freeze --from freeze\n"
    "  katamaran plan new our-move --from local-storage\n"
    "\n"
    "Exit codes: 0 done, 1 a file could not be written, 2 wrong usage, a wrong plan, or a name "
    "that is\n"
    "taken.";

const char* const plan_diff_examples =
    "Examples:\n"
    "  katamaran plan diff local-storage             what it changes of the plan that it derives "
    "from\n"
    "  katamaran plan diff shared-storage local-storage\n"
    "  katamaran plan diff ipv6 --json\n"
    "\n"
    "Exit codes: 0 done, 1 the output could not be written, 2 wrong usage or a wrong plan.";

const char* const plan_test_examples =
    "The cases of plans/NAME.lua are the files of Lua in plans/NAME.tests, each of which says "
    "what\n"
    "goes wrong and what is expected then. WHAT is such a folder, one with such folders in it, "
    "any\n"
    "other folder of cases, a case, or a plan. What must hold in every migration is judged in "
    "each.\n"
    "\n"
    "Examples:\n"
    "  katamaran plan test freeze\n"
    "  katamaran plan test shared-storage --only cut\n"
    "  katamaran plan test freeze --json\n"
    "\n"
    "Exit codes: 0 all have passed, 1 some have failed, 2 wrong usage, or a case that cannot be\n"
    "read or does not fit its plan.";

const char* const qmp_examples =
    "Arguments are typed by the schema of this very QEMU. Dots reach into objects and lists; an\n"
    "object, a list, or all arguments together may also be given as JSON.\n"
    "\n"
    "Examples:\n"
    "  katamaran qmp ./vm.qmp                        events as they come, until Ctrl-C\n"
    "  katamaran qmp ./vm.qmp query-status\n"
    "  katamaran qmp ./vm.qmp migrate-set-parameters downtime-limit=25\n"
    "  katamaran qmp ./vm.qmp migrate-set-capabilities \\\n"
    "      capabilities.0.capability=events capabilities.0.state=on\n"
    "  katamaran qmp ./vm.qmp stop --wait STOP --timeout 5s\n"
    "  katamaran qmp ./vm.qmp --wait MIGRATION,status=completed --timeout 1h\n"
    "  katamaran qmp ./vm.qmp query-migrate --json --record query.jsonl.zst";

const char* const show_examples =
    "Reads what --record wrote, plain or compressed, and the plain form of other recorders\n"
    "(one {\"t\": seconds, \"dir\": \"in\", \"msg\": …} a line).\n"
    "\n"
    "Examples:\n"
    "  katamaran trace show run.jsonl.zst\n"
    "  katamaran trace show run.jsonl --grep 'STOP|RESUME|MIGRATION'\n"
    "  katamaran trace show run.jsonl --json | jq -c 'select(.dir == \"out\") | .msg'";

const char* const timeline_examples =
    "What happened, actor by actor: where the guest ran, what QEMU, the plan and the kernel did, "
    "and\n"
    "the dark window, from STOP to RESUME, on a scale of its own. The recordings of both sides "
    "are\n"
    "put on one axis by the time at which they began, and by the words between the plans.\n"
    "\n"
    "Examples:\n"
    "  katamaran trace timeline run.jsonl.zst\n"
    "  katamaran trace timeline source.jsonl dest.jsonl -o move.svg    for the runbook\n"
    "  katamaran trace timeline source.jsonl dest.jsonl -o move.html   with all details\n"
    "  katamaran trace timeline run.jsonl -o run.json                  for ui.perfetto.dev\n"
    "\n"
    "Exit codes: 0 done, 1 a recording is damaged (what stands before is drawn), 2 wrong usage.";

}  // namespace ktm::cli
