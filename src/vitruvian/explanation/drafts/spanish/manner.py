"""How Spanish writes: marks of numbers, spans, times, coded answers, counts, and the twin's own words."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.drafts.names import answers_of, labels_of, texts_of
from vitruvian.explanation.manner import Manner

__all__ = ["MANNER"]

_ANSWERS: Final = {
    "Alert": ("alerta", "consciente y alerta"), "Confusion": ("confusión nueva", "confusión nueva"),
    "Voice": ("responde a la voz", "solo responde a la voz"), "Pain": ("responde al dolor", "solo responde al dolor"),
    "Unresponsive": ("no responde", "no responde"), "Air": ("aire ambiente", "aire ambiente"),
    "Oxygen": ("oxígeno", "oxígeno adicional"), "Yes": ("sí", "sí"), "No": ("no", "no"),
    "Pregnant": ("embarazada", "embarazada"), "Not pregnant": ("no embarazada", "no embarazada"),
}  # fmt: skip
MANNER: Final[Manner] = Manner(
    "es",
    ",",
    "\u202f",
    ("ene.", "feb.", "mar.", "abr.", "may.", "jun.", "jul.", "ago.", "sept.", "oct.", "nov.", "dic."),
    {
        "next": "durante los próximos {}", "next h": "durante las próximas {}", "next 1 h": "durante la próxima hora",
        "next 1 min": "durante el próximo minuto", "next 1 d": "durante el próximo día",
        "last": "durante los últimos {}", "last h": "durante las últimas {}", "last 1 h": "durante la última hora",
        "last 1 min": "durante el último minuto", "last 1 d": "durante el último día",
        "between": "el {d2} de {m2} entre las {c1} y las {c2}",
        "between days": "entre el {d1} de {m1} a las {c1} y el {d2} de {m2} a las {c2}",
        "ago": "hace {}", "in": "en {}", "after": "después de {}",
        "stay clinician": "hasta el final de la estancia", "stay patient": "hasta el final de la estancia",
        "at": "a las {}", "at 01": "a la {}", "yesterday": "ayer a las {}", "yesterday 01": "ayer a la {}",
        "on": "el {day} de {month} a las {clock}", "on 01": "el {day} de {month} a la {clock}",
        "on year": "el {day} de {month} de {year} a las {clock}",
        "on year 01": "el {day} de {month} de {year} a la {clock}",
        "rising": "en aumento", "falling": "en descenso", "steady": "estable", "less": "menos del {}",
        "more": "más del {}", "of": "{} de cada {}", "likely clinician": "{} ({})", "likely patient": "{} ({})",
        "quoted": "«{}»", "points": "{} puntos porcentuales", "brought": "el paquete dice: «{}»",
        "estimated clinician": "{} (estimado)", "estimated patient": "{} (estimado)",
        "on state": "activado", "off state": "desactivado",
        "risk of": "riesgo de {}",
    },
    {
        "clinician": {"min": ("min", "min"), "h": ("h", "h"), "d": ("día", "días")},
        "patient": {"min": ("minuto", "minutos"), "h": ("hora", "horas"), "d": ("día", "días")},
    },
    {
        "clinician": (
            (0.99, "prácticamente seguro"), (0.95, "sumamente probable"), (0.90, "muy probable"), (0.66, "probable"),
            (0.33, "tan probable como improbable"), (0.10, "improbable"), (0.05, "muy improbable"),
            (0.01, "sumamente improbable"), (0.0, "excepcionalmente improbable"),
        ),
        "patient": (
            (0.99, "casi seguro"), (0.90, "muy probable"), (0.66, "probable"),
            (0.33, "tan probable como improbable"), (0.10, "poco probable"), (0.0, "muy poco probable"),
        ),
    },
    labels=labels_of("spanish"),
    answers=answers_of(_ANSWERS),
    counted={
        "heart_rate": "por minuto", "pulse_rate": "por minuto",
        "respiratory_rate": "por minuto", "warm_heart_rate": "por minuto",
    },
    counts={
        "beds": ("cama", "camas"), "alarms": ("alarma abierta", "alarmas abiertas"), "more": ("más", "más"),
        "patients": ("paciente", "pacientes"),
    },
    texts=texts_of("spanish"),
    units={"IU": "UI", "IU/h": "UI/h", "IU/min": "UI/min", "IU/mL": "UI/mL", "mIU/L": "mUI/L", "years": "años",
           "months": "meses", "weeks": "semanas", "days": "días", "mL/min per 1.73 m²": "mL/min por 1,73 m²"},
)  # fmt: skip
