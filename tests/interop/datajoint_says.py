"""Run by DataJoint's own Python: what it makes of a schema. Arguments: backend, port, user, schema, what to ask."""

import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")
import datajoint as dj  # noqa: E402

logging.disable(logging.CRITICAL)

_CATALOGUE = {
    "join": lambda lab: (lab.Subject * lab.Session).to_dicts(),
    "three": lambda lab: (lab.Subject * lab.Session * lab.Recording).to_dicts(),
    "restricted": lambda lab: (lab.Session & (lab.Subject & {"subject_name": "12347"})).to_dicts(),
    "by_day": lambda lab: (lab.Session & {"session_date": "2020-01-01"}).to_dicts(),
    "without": lambda lab: (lab.Subject - lab.Session).to_dicts(),
    "counted": lambda lab: lab.Session.aggr(lab.File, files="count(*)").to_dicts(),
    "files": lambda lab: (lab.Recording * lab.RecordingFile * lab.File).to_dicts(),
    "all": lambda lab: {name: len(table()) for name, table in _tables(lab)},
    "headings": lambda lab: {name: len(table().heading.names) for name, table in _tables(lab)},
    "parents": lambda lab: [parent.split(".")[-1].strip('`"') for parent in lab.Session.parents()],
    "printed": lambda lab: repr(lab.Subject()),
}
_EXPERIMENT = {
    "classes": lambda lab: sorted(name for name, _ in _tables(lab)),
    "types": lambda lab: {
        name: table().heading["v"].type for name, table in _tables(lab) if "v" in table().heading.names
    },
    "values": lambda lab: {
        name: table().to_dicts()[0]["v"] for name, table in _tables(lab) if "v" in table().heading.names
    },
    "shared_name": lambda lab: (lab.Left * lab.Right).to_dicts(),
}


def _tables(lab):
    return sorted((name, value) for name, value in vars(lab).items() if isinstance(value, type))


def _answer(ask, lab):
    try:
        return ask(lab)
    except Exception as error:  # noqa: BLE001  # whatever DataJoint does not take is the answer
        return f"{type(error).__name__}: {error}"


def main(backend, port, user, schema, what):
    settings = {
        "backend": backend,
        "host": "127.0.0.1",
        "port": int(port),
        "user": user,
        "password": "x" if backend == "postgresql" else "",
    }
    for name, value in settings.items():
        dj.config[f"database.{name}"] = value
    database, _, schema = schema.rpartition(".")
    if database:
        dj.config["database.name"] = database
    lab = dj.VirtualModule("lab", schema)
    asked = _CATALOGUE if what == "catalogue" else _EXPERIMENT
    answers = {name: _answer(ask, lab) for name, ask in asked.items()}
    sys.stdout.write(json.dumps(answers, default=str) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
