"""Systems Manager, as far as Run Command goes: instances are folders of this machine, their agents run real shells.

What a script calls ``SystemsManager.srv`` is a folder of its own on each instance. The seconds until a command must be
taken last ``pace`` times as long.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .service import REGION, AwsError, Params, Service
from .ssm_parts import DONE, Instance, Invocation, Sent, counted, fits, information, kill, text_of

LISTED, SAID, ERRORS_SAID = 2500, 24_000, 8_000
"""How many characters of an output are told: in the list, and for one invocation."""
_LARGEST = 64 * 1024
_CUT = "---Output truncated---"
Runner = Callable[["Instance", str], tuple[int, str]]
"""In the place of a shell: exit code and stdout."""


class SystemsManager(Service):
    """``ssm``."""

    name = "ssm"

    def __init__(self, folder: Path, *, pace: float = 1.0, shy: int = 1, light: Runner | None = None) -> None:
        super().__init__()
        self.srv = "/srv/lab"
        self.folder = folder
        self.pace = pace
        self.haste = 1.0
        """The same for the time that a command may take."""
        self.shy = shy
        """How often a new command's invocations are asked for in vain."""
        self.light = light
        self.instances: dict[str, Instance] = {}
        self.sent: dict[str, Sent] = {}
        self.refuses = ""
        """``RateExceeded`` and the like: what becomes of commands from now on."""
        self.most_at_once = 0
        """How many invocations of one command ran at the same time, at most."""
        self._moved = threading.Condition(self.lock)
        self._is_closed = False

    def add(self, instance_id: str, **known: Any) -> Instance:
        """A new instance, its agent online."""
        folder = self.folder / instance_id
        (folder / "tmp").mkdir(parents=True)
        self.instances[instance_id] = Instance(instance_id, folder, **known)
        return self.instances[instance_id]

    def close(self) -> None:
        """Kill what agents run."""
        with self.lock:
            self._is_closed = True
            running = [one.process for sent in self.sent.values() for one in sent.invocations.values() if one.process]
        for process in running:
            kill(process)

    # -- operations ----------------------------------------------------------

    def describe_instance_information(self, params: Params) -> Params:
        size, start = params.get("MaxResults", 10), int(params.get("NextToken", "0"))
        if not 5 <= size <= 50:
            raise AwsError("ValidationException", f"MaxResults {size} is not between 5 and 50")
        found = [one for one in self._registered() if all(fits(one, each) for each in params.get("Filters", []))]
        page = found[start : start + size]
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"InstanceInformationList": [information(one) for one in page], **more}

    def send_command(self, params: Params) -> Params:
        instances = self._addressed(params)
        given = {**params.get("Parameters", {})}
        script, execution = "\n".join(given.pop("commands")), given.pop("executionTimeout", ["3600"])[0]
        folder = given.pop("workingDirectory", [""])[0]
        if given or not execution.isdigit() or not 1 <= int(execution) <= 172_800 or "{{" in script:
            raise AwsError("InvalidParameters", "a parameter is not as the document says")
        if len(json.dumps(params)) > _LARGEST:
            raise AwsError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
        if params["DocumentName"] != "AWS-RunShellScript":
            raise AwsError("InvalidDocument")
        if not re.fullmatch(r"[1-9][0-9]*|[1-9][0-9]?%|100%", params.get("MaxConcurrency", "50")):
            raise AwsError("ValidationException", "MaxConcurrency")
        if not re.fullmatch(r"[0-9]+|[0-9]{1,2}%|100%", params.get("MaxErrors", "0")):
            raise AwsError("ValidationException", "MaxErrors")
        if not 30 <= params.get("TimeoutSeconds", 3600) <= 2_592_000:
            raise AwsError("ValidationException", "TimeoutSeconds")
        command = str(uuid.uuid4())
        invocations = {} if self.refuses else {one.instance_id: Invocation(one) for one in instances}
        sent = Sent(params, invocations, script, float(execution) * self.haste, datetime.now(UTC), self.shy)
        sent.details = self.refuses
        self.sent[command] = sent
        if self.light is not None:
            self._all_light(sent)
        else:
            threading.Thread(target=self._carry_out, args=(sent, folder), daemon=True).start()
        return {"Command": self._shown(command)}

    def list_commands(self, params: Params) -> Params:
        self._known(params["CommandId"])
        return {"Commands": [self._shown(params["CommandId"])]}

    def list_command_invocations(self, params: Params) -> Params:
        sent, size = self._known(params["CommandId"]), params.get("MaxResults", 50)
        if sent.shy > 0:
            sent.shy -= 1
            return {"CommandInvocations": []}
        start = int(params.get("NextToken", "0"))
        found = list(sent.invocations.values())
        shown = [self._listed(params["CommandId"], one, params) for one in found[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"CommandInvocations": shown, **more}

    def get_command_invocation(self, params: Params) -> Params:
        sent = self._known(params["CommandId"])
        if sent.shy > 0 or params["InstanceId"] not in sent.invocations:
            raise AwsError("InvocationDoesNotExist")
        one = sent.invocations[params["InstanceId"]]
        return {
            "CommandId": params["CommandId"], "InstanceId": params["InstanceId"], "DocumentName": "AWS-RunShellScript",
            "PluginName": "aws:runShellScript", "ResponseCode": one.code, "Status": one.status,
            "StatusDetails": one.details,
            "StandardOutputContent": one.out[:SAID], "StandardErrorContent": one.err[:ERRORS_SAID],
        }  # fmt: skip

    def cancel_command(self, params: Params) -> Params:
        sent = self._known(params["CommandId"])
        chosen = params.get("InstanceIds") or list(sent.invocations)
        sent.is_cancelled = sent.is_cancelled or len(chosen) == len(sent.invocations)
        for name in chosen:
            one = sent.invocations[name]
            if one.status in DONE:
                continue
            one.end("Cancelled")
            if one.process is not None:
                kill(one.process)
        self._moved.notify_all()
        return {}

    # -- what they ask for ---------------------------------------------------

    def _registered(self) -> list[Instance]:
        return [one for _, one in sorted(self.instances.items()) if one.ping]

    def _addressed(self, params: Params) -> Sequence[Instance]:
        ids, targets = params.get("InstanceIds", []), params.get("Targets", [])
        if bool(ids) == bool(targets) or len(ids) > 50:
            raise AwsError("ValidationException", "InstanceIds (50 at most) or Targets")
        if len(set(ids)) < len(ids):
            raise AwsError("DuplicateInstanceId")
        known = {one.instance_id: one for one in self._registered() if one.state in {"running", "stopped"}}
        lost = [name for name in ids if name not in known]
        if lost:
            raise AwsError("InvalidInstanceId", f"Instances [[{', '.join(lost)}]] not in a valid state for account 1")
        filters = [{"Key": one["Key"], "Values": one["Values"]} for one in targets]
        found = [known[name] for name in ids] or [o for o in known.values() if all(fits(o, f) for f in filters)]
        if any(one.platform == "Windows" for one in found):
            raise AwsError("UnsupportedPlatformType", "The document doesn't support the platform type")
        return found

    def _known(self, command: str) -> Sent:
        if command not in self.sent:
            raise AwsError("InvalidCommandId")
        return self.sent[command]

    def _shown(self, command: str) -> Params:
        sent = self.sent[command]
        every = [one.status for one in sent.invocations.values()]
        status = "Pending" if not set(every) <= DONE else "Success" if set(every) == {"Success"} else "Failed"
        return {
            "CommandId": command, "DocumentName": "AWS-RunShellScript", "Status": status,
            "StatusDetails": sent.details or status, "RequestedDateTime": sent.at, "TargetCount": len(every),
            "Comment": sent.params.get("Comment", ""), "MaxErrors": sent.params.get("MaxErrors", "0"),
        }  # fmt: skip

    def _listed(self, command: str, one: Invocation, params: Params) -> Params:
        said = one.out + (f"\n----------ERROR-------\n{one.err}" if one.err else "")
        output = said if len(said) <= LISTED else said[: LISTED - len(_CUT)] + _CUT
        plugin = {"Name": "aws:runShellScript", "Status": one.status, "StatusDetails": one.details, "Output": output}
        details = [{**plugin, "ResponseCode": one.code}] if params.get("Details") and one.status in DONE else []
        return {
            "CommandId": command, "InstanceId": one.instance.instance_id, "Status": one.status,
            "StatusDetails": one.details, "CommandPlugins": details,
        }  # fmt: skip

    # -- carrying out --------------------------------------------------------

    def _all_light(self, sent: Sent) -> None:
        for one in sent.invocations.values():
            assert self.light is not None
            one.instance.ran.append(sent.script)
            one.code, one.out = self.light(one.instance, sent.script)
            one.end("Success" if one.code == 0 else "Failed")

    def _carry_out(self, sent: Sent, folder: str) -> None:
        waiting = list(sent.invocations.values())
        most = counted(sent.params.get("MaxConcurrency", "50"), len(waiting), at_least=1)
        bearable = counted(sent.params.get("MaxErrors", "0"), len(waiting))
        threads: list[threading.Thread] = []
        with self.lock:
            while waiting:
                errors = sum(one.details in {"Failed", "ExecutionTimedOut"} for one in sent.invocations.values())
                if errors > bearable and not sent.is_cancelled:
                    for one in waiting:
                        one.end("Cancelled", "Terminated")
                if sent.is_cancelled or errors > bearable or self._is_closed:
                    return
                busy = sum(thread.is_alive() for thread in threads)
                while waiting and busy < most:
                    thread = threading.Thread(target=self._run, args=(sent, waiting.pop(0), folder), daemon=True)
                    thread.start()
                    threads.append(thread)
                    busy += 1
                self.most_at_once = max(self.most_at_once, busy)
                self._moved.wait(0.02)

    def _run(self, sent: Sent, one: Invocation, folder: str) -> None:
        instance = one.instance
        if instance.takes == "undeliverable":
            self._end(one, "Failed", "Undeliverable")
            return
        if instance.takes not in {"", "never"}:
            self._end(one, "Failed", instance.takes)
            return
        until = time.monotonic() + sent.params.get("TimeoutSeconds", 3600) * self.pace
        while instance.takes == "never" or instance.ping != "Online":
            with self.lock:
                if one.status in DONE or self._is_closed:
                    return
                one.status, one.details = (
                    ("Pending", "Pending") if instance.ping == "Online" else ("Delayed", "Delayed")
                )
            if time.monotonic() > until:
                self._end(one, "TimedOut", "DeliveryTimedOut")
                return
            time.sleep(0.01)
        self._by_shell(sent, one, folder)

    def _by_shell(self, sent: Sent, one: Invocation, folder: str) -> None:
        instance = one.instance
        script = sent.script.replace(self.srv, f"{instance.folder}/srv")
        file = instance.folder / f"_script-{uuid.uuid4()}.sh"
        file.write_text(script)
        environment = {
            "PATH": os.environ["PATH"], "AWS_SSM_INSTANCE_ID": instance.instance_id, "AWS_SSM_REGION_NAME": REGION,
            "TMPDIR": str(instance.folder / "tmp"),
        }  # fmt: skip
        with self.lock:
            if one.status in DONE or self._is_closed:
                return
            instance.ran.append(script)
            one.process = subprocess.Popen(
                ["env", "--default-signal", "/bin/sh", str(file)],  # whatever whoever deploys ignores
                cwd=folder or instance.folder, env=environment, process_group=0,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            one.status, one.details = "InProgress", "InProgress"
        try:
            out, err = one.process.communicate(timeout=sent.execution)
            status, details = ("Success", "Success") if one.process.returncode == 0 else ("Failed", "Failed")
        except subprocess.TimeoutExpired:
            kill(one.process)
            out, err = one.process.communicate()
            status, details = "TimedOut", "ExecutionTimedOut"
        with self.lock:
            one.code, one.out, one.err = one.process.returncode, text_of(out), text_of(err)
        self._end(one, status, details)

    def _end(self, one: Invocation, status: str, details: str) -> None:
        with self.lock:
            if one.status not in DONE:
                one.end(status, details)
            self._moved.notify_all()


class Machines(Service):
    """``ec2``, as far as it says in which state instances are."""

    name = "ec2"

    def __init__(self, manager: SystemsManager) -> None:
        super().__init__()
        self.manager = manager

    def describe_instances(self, params: Params) -> Params:
        found = list(self.manager.instances.values())
        for each in params.get("Filters", []):
            assert each["Name"] == "instance-id", each
            found = [one for one in found if one.instance_id in each["Values"]]
        shown = [{"InstanceId": o.instance_id, "State": {"Code": 16, "Name": o.state}} for o in found if o.state]
        return {"Reservations": [{"ReservationId": "r-0", "Instances": [one]} for one in shown]}
