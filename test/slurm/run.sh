#!/usr/bin/env bash
# A plan as a job array on a real Slurm of one node: one task is killed in the middle of a training, another is requeued while it runs;
# in the end every task of the plan was done exactly once, and all results are those of a run without Slurm.
#
#   npm run build && bash test/slurm/run.sh        four minutes on two busy cores; --keep leaves the scratch folder
#
# Debian or Ubuntu. Installs slurm-wlm and munge where they are missing (root only). Slurm and munge are started from a scratch folder
# with a configuration, key, ports and sockets of their own, so nothing of the machine's is touched, and are stopped at the end.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
keep=
[[ ${1:-} == --keep ]] && keep=1

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
fail() {
  say "FAILED: $*" >&2
  exit 1
}

# The clone's own Node first: the machine's may be too old.
PATH=$root/node_modules/.bin:$PATH:/usr/sbin:/sbin
if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
  [[ $(id -u) == 0 ]] || fail 'slurm-wlm and munge are missing, and only root can install them'
  say 'installing slurm-wlm and munge'
  apt-get update -qq
  # RUNLEVEL=1: the packages' own services are not started.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq slurm-wlm munge >/dev/null 2>&1
fi
[[ -f $root/dist/cli/main.js ]] || fail 'not built; npm run build'

d=$(mktemp -d "${TMPDIR:-/tmp}/ptdpc-slurm.XXXXXX")
export SLURM_CONF=$d/slurm.conf
export PTDPC="node $root/dist/cli/main.js"
ptdpc() { $PTDPC "$@"; }

stop() {
  local status=$?
  scancel --me >/dev/null 2>&1 || true
  # Ended by the numbers that they wrote, and waited for.
  for name in slurmd slurmctld munged; do
    [[ -f $d/$name.pid ]] || continue
    pid=$(cat "$d/$name.pid")
    kill "$pid" 2>/dev/null || continue
    for _ in {1..100}; do kill -0 "$pid" 2>/dev/null && sleep 0.1; done
  done
  if [[ -n $keep || $status != 0 ]]; then say "left in $d"; else rm -rf "$d"; fi
  exit "$status"
}
trap stop EXIT

# --- a Slurm of one node ---------------------------------------------------------------------------------------------------------------
mkdir "$d/state" "$d/spool" "$d/munge"
chmod 755 "$d"
chmod 700 "$d/munge"
(umask 077 && head -c 1024 /dev/urandom >"$d/munge/key")
munged --force --key-file="$d/munge/key" --socket="$d/munged.socket" --pid-file="$d/munged.pid" \
  --log-file="$d/munge/log" --seed-file="$d/munge/seed"
host=$(hostname -s)
cores=$(nproc)
cat >"$SLURM_CONF" <<CONF
ClusterName=ptdpc
SlurmctldHost=$host(localhost)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
# A requeued job may start again after so many seconds; 120 unless given.
AuthInfo=socket=$d/munged.socket,cred_expire=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmctldPidFile=$d/slurmctld.pid
SlurmdPidFile=$d/slurmd.pid
SlurmctldLogFile=$d/slurmctld.log
SlurmdLogFile=$d/slurmd.log
SlurmdSpoolDir=$d/spool
StateSaveLocation=$d/state
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Two array tasks at a time, whatever the machine has.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=localhost CPUs=$((cores > 2 ? cores : 2)) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld
slurmd
node_state() { sinfo -h -o %t 2>/dev/null || true; }
for _ in {1..60}; do
  if [[ $(node_state) == idle ]]; then break; fi
  sleep 0.5
done
[[ $(node_state) == idle ]] || fail "the node did not become idle; see $d/*.log"
say "$(sinfo --version), one node with $cores cores"

# --- the plan, as a job array of two ---------------------------------------------------------------------------------------------------
options=(--demo --seeds 2 --epochs "${EPOCHS:-20}" --lr '0.1,0.01')
plan=$d/array/plan
ptdpc experiment plan table2 "${options[@]}" --out "$plan"
mkdir "$d/logs"
job=$(cd "$d/logs" && sbatch --parsable --array=0-1 --cpus-per-task=1 "$root/docs/experiments/array.sbatch" "$plan")
say "job $job submitted"

state() { squeue -h -t all -j "${job}_$1" -o %T; }
epochs_of() { cat "$plan/runs/$1"/*/metrics.jsonl 2>/dev/null | grep -c '"type":"epoch"' || true; }
# Waits until task $1 of the plan is in the middle of its first training: three epochs are done. Keeps a second name of the record that
# this training began with, to see later that it was gone on with.
in_training() {
  for _ in {1..3000}; do
    compgen -G "$plan/runs/$1/*/results/*-test.json" >/dev/null && fail "$1 was done before it could be interrupted; raise EPOCHS"
    if (($(epochs_of "$1") >= 3)); then
      ln "$plan/runs/$1/lr-0.1/run.json" "$d/$1.run.json"
      return
    fi
    sleep 0.1
  done
  fail "$1 was not begun"
}
wait_for() { # array index, state
  for _ in {1..1200}; do
    if [[ $(state "$1") == "$2" ]]; then return; fi
    sleep 0.5
  done
  fail "array task $1 is $(state "$1"), expected $2"
}

# Share 0 has the tasks of seed 0. Its process is killed as the kernel does it when memory runs out.
victim=scenes8.both.seed0
in_training $victim
pid=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).pid' "$plan/claims/$victim.json")
kill -KILL "$pid"
killed_after=$(epochs_of $victim)
say "$victim killed after $killed_after epochs (process $pid)"
wait_for 0 FAILED
[[ -f $plan/claims/$victim.json ]] || fail 'a killed process took its claim away'
scontrol requeue "${job}_0"
say "${job}_0 requeued"

# Share 1 is preempted: requeued while it runs.
preempted=scenes8.both.seed1
in_training $preempted
scontrol requeue "${job}_1"
preempted_after=$(epochs_of $preempted)
say "${job}_1 requeued while it ran, $preempted after $preempted_after epochs"

for share in 0 1; do wait_for $share COMPLETED; done
for share in 0 1; do
  restarts=$(scontrol show job "${job}_$share" | grep -o 'Restarts=[0-9]*')
  [[ $restarts == Restarts=1 ]] || fail "array task $share: expected one restart, found $restarts"
done
say 'both array tasks completed, each after one restart'

# --- what came of it -------------------------------------------------------------------------------------------------------------------
ptdpc experiment collect --out "$plan" --json >/dev/null
plain=$d/plain/plan
ptdpc experiment table2 "${options[@]}" --out "$plain" --json >/dev/null 2>"$d/plain.log"
say 'the same without Slurm is done'
for name in $victim $preempted; do
  [[ $plan/runs/$name/lr-0.1/run.json -ef $d/$name.run.json ]] || fail "$name was begun anew, and not gone on with"
done
node "$root/test/slurm/compare.mjs" "$plan" "$plain" "$d/logs" || fail 'results'
[[ -z $(find "$plan/claims" -name '*.json') ]] || fail 'claims are left'
say 'PASSED'
