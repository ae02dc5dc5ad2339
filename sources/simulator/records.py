"""Generated brands, campaigns and number assignments with all documented fields. Pure.

None of it can be real data: EINs begin with `00-`, which is never issued, telephone numbers are in
the 555-01xx range reserved for fiction, and host names end in `.example` or `example.com`.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from sources.simulator.timestamps import DAY, stamp

CALLBACK_URL = "https://hooks.example.com/10dlc"

FIRST_WORDS = (
    "Acme", "Birch", "Cobalt", "Delta", "Ember", "Fern", "Granite", "Harbor", "Indigo",
    "Juniper", "Keystone", "Lakeside", "Maple", "Northgate", "Oakwood", "Pioneer", "Quarry",
    "Redwood", "Summit", "Tidewater", "Union", "Valley", "Willow", "Yarrow", "Zenith",
)  # fmt: skip
TRADES = {
    "Dental": "HEALTHCARE", "Realty": "REAL_ESTATE", "Energy": "ENERGY", "Theatre": "ENTERTAINMENT",
    "Outfitters": "RETAIL", "Farms": "AGRICULTURE", "Insurance": "INSURANCE",
    "Academy": "EDUCATION", "Hotels": "HOSPITALITY", "Credit Union": "FINANCIAL",
    "Builders": "CONSTRUCTION", "Relief": "NGO", "Foundry": "MANUFACTURING",
    "Software": "TECHNOLOGY", "Wireless": "COMMUNICATION", "Clinic": "HEALTHCARE",
}  # fmt: skip
STREETS = ("Main St", "Oak Ave", "2nd St", "Market St", "Hill Rd")


class Topic(NamedTuple):
    """The subject of a campaign's messages."""

    name: str
    use_case: str
    sample: str


TOPICS = (
    Topic("reminders", "ACCOUNT_NOTIFICATION", "your appointment is on Tuesday at 10:30."),
    Topic("order updates", "DELIVERY_NOTIFICATION", "your order is on its way."),
    Topic("offers", "MARKETING", "20% off everything until Sunday."),
    Topic("security codes", "2FA", "your code is 123456. It expires in 10 minutes."),
    Topic("customer care", "CUSTOMER_CARE", "thanks for writing, we will call you back today."),
    Topic("fraud alerts", "FRAUD_ALERT", "was the purchase of $84.10 yours? Reply YES or NO."),
    Topic("news", "LOW_VOLUME_MIXED", "our new opening hours start on Monday."),
)


def draw_id(rng: random.Random) -> str:
    """A version 4 UUID from the generator's bits (uuid.UUID itself takes several times longer)."""
    bits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(bits[16], 16) & 3]
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{variant}{bits[17:20]}-{bits[20:]}"


def brand_name(number: int) -> str:
    """`Acme Dental`; a different name for each number."""
    first, trade, series = _brand_words(number)
    return f"{first} {trade}" + (f" {series + 1}" if series else "")


def _brand_words(number: int) -> tuple[str, str, int]:
    series, place = divmod(number, len(FIRST_WORDS) * len(TRADES))
    column, line = divmod(place, len(FIRST_WORDS))
    # Both words change from brand to brand, so that even two brands look different.
    return FIRST_WORDS[line], list(TRADES)[(line + column) % len(TRADES)], series


def fictional_number(number: int) -> str:
    """A fictional telephone number in E.164; they repeat after 79,000."""
    return f"+1{201 + number // 100 % 790}55501{number % 100:02d}"


def brand_fields(rng: random.Random, number: int, created: float) -> dict[str, Any]:
    """The `number`-th brand, created at `created` (seconds since 1970 UTC)."""
    name = brand_name(number)
    trade = _brand_words(number)[1]
    site = name.lower().replace(" ", "-")
    self_registered = rng.random() < 0.2
    return {
        "id": draw_id(rng),
        "state": rng.choices(("completed", "unverified", "pending"), (90, 6, 4))[0],
        "name": name,
        "company_name": f"{name} {rng.choice(('LLC', 'Inc.', 'Co.'))}",
        "contact_email": f"contact@{site}.example",
        "contact_phone": fictional_number(number),
        "ein_issuing_country": "US",
        "legal_entity_type": "NON_PROFIT" if trade == "Relief" else "PRIVATE_PROFIT",
        "ein": f"00-{number % 10_000_000:07d}",
        "company_address": f"{rng.randint(1, 999)} {rng.choice(STREETS)}, Springfield, ZZ 00000",
        "company_vertical": TRADES[trade],
        "company_website": f"https://{site}.example",
        "csp_brand_reference": f"B{rng.getrandbits(24):06X}" if self_registered else None,
        "csp_self_registered": self_registered,
        "status_callback_url": CALLBACK_URL if rng.random() < 0.3 else None,
        "created_at": stamp(created),
        "updated_at": stamp(created + rng.uniform(0.1, 3.0) * DAY),
    }


def campaign_fields(rng: random.Random, brand: str, number: int, created: float) -> dict[str, Any]:
    """The `number`-th campaign of the brand of that name."""
    series, place = divmod(number, len(TOPICS))
    topic = TOPICS[place]
    name = f"{brand} {topic.name}" + (f" {series + 1}" if series else "")
    return {
        "id": draw_id(rng),
        "name": name,
        "state": rng.choices(("active", "pending", "inactive"), (92, 4, 4))[0],
        "sms_use_case": topic.use_case,
        "sub_use_cases": ["CUSTOMER_CARE", "MARKETING"] if "MIXED" in topic.use_case else [],
        "campaign_verify_token": f"cv|fake|{rng.getrandbits(64):016x}",
        "description": f"{brand} sends {topic.name} by text message to customers who asked for it.",
        "sample1": f"{brand}: {topic.sample}",
        "sample2": f"{brand}: {topic.sample} Reply STOP to opt out.",
        "sample3": f"{brand}: {topic.sample} Reply HELP for help." if number % 2 else None,
        "sample4": None,
        "sample5": None,
        "dynamic_templates": "Names, dates and amounts differ." if number % 2 else None,
        "message_flow": f"Customers tick a box on the website of {brand} when they sign up.",
        "opt_in_message": f"You are now subscribed to {name}. Reply STOP to opt out.",
        "opt_out_message": f"You will get no more messages from {brand}.",
        "help_message": f"{brand}: call {fictional_number(number)} for help.",
        "opt_in_keywords": "START,YES",
        "opt_out_keywords": "STOP,END,QUIT",
        "help_keywords": "HELP,INFO",
        **_campaign_settings(rng),
        "created_at": stamp(created),
        "updated_at": stamp(created + rng.uniform(0.1, 7.0) * DAY),
    }


def _campaign_settings(rng: random.Random) -> dict[str, Any]:
    pooled = rng.random() < 0.1
    by_partner = rng.random() < 0.2
    return {
        "number_pooling_required": pooled,
        "number_pooling_per_campaign": "Each branch writes from its own number." if pooled else "",
        "direct_lending": False,
        "embedded_link": rng.random() < 0.5,
        "embedded_phone": rng.random() < 0.3,
        "age_gated_content": False,
        "lead_generation": False,
        "csp_campaign_reference": f"C{rng.getrandbits(24):06X}" if by_partner else None,
        "status_callback_url": CALLBACK_URL if rng.random() < 0.3 else None,
    }


def number_fields(
    rng: random.Random, campaign_id: str, number: int, created: float
) -> dict[str, Any]:
    """A new number assignment; `number` determines its telephone number."""
    return {
        "id": draw_id(rng),
        "state": "pending",
        "campaign_id": campaign_id,
        "phone_number": {
            "id": draw_id(rng),
            "name": f"Line {number + 1}",
            "number": fictional_number(number),
            "status_callback_url": CALLBACK_URL if rng.random() < 0.3 else None,
        },
        "created_at": stamp(created),
        "updated_at": stamp(created),
    }
