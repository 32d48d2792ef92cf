"""Recognise an answer that declines: it says that it cannot or will not tell the place."""

from __future__ import annotations

import re
from typing import Any

from geodata.answers import blocks
from geodata.answers.contract import MAX_CHARS
from geodata.answers.names import read_names
from geodata.answers.tolerant import parse_tolerant

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ru", "zh", "ja", "ko", "ar", "hi")
"""Languages whose refusals are recognised, ISO 639-1."""

# In each language: what cannot or will not be done, near the verb of doing it.
_DECLINES = {
    "en": r"^\W{0,3}(?:unable|cannot|can't) (?:to )?(?:determine|identify|tell|locate)"
    r"|(?:can(?:'t|not| not)|couldn't|could not|unable to|not able to|won't|will not"
    r"|decline|refuse|not (?:possible|feasible)|I(?:'m| am) not (?:comfortable|allowed"
    r"|permitted)|no (?:way|means) (?:to|of)|prevents? me from|beyond my|outside my"
    r"|impossible|not going to|(?:don't|do not|doesn't|does not|isn't|is not"
    r"|lacks?) (?:have |provide |contain |give )?(?:me |us )?(?:enough|sufficient)"
    r"|insufficient|too (?:few|little)|rather not)[^.!?\n]{0,70}?\b(?:help\b(?! but)"
    r"|assist|comply|fulfil|answer|respond|locat|geoloc|where|coordinates|place\b|pinpoint"
    r"|country|city|position|identif(?:y|ied|ying|ication)[^.!?\n]{0,30}(?:this|image"
    r"|photo|that|it\b))|\bI (?:can't|cannot|won't) do (?:that|this)\b|no way (?:to"
    r"|of) (?:know|tell)|(?:don't|do not) know where|no idea where|have no (?:idea|way)"
    r"|\bI (?:don't|do not) know\b|no (?:specific |clear |distinctive |identifiable "
    r"|visible )?(?:location|geographic\w*)[^.!?\n]{0,40}(?:can be|could be) (?:determined"
    r"|identified)|(?:location|place|coordinates?|position)[^.!?\n]{0,40}(?:can(?:'t|not"
    r"| not)|could not|couldn't|impossible to) (?:be )?(?:determine|identif|establish"
    r"|pinpoint|infer|estimate)|(?:can't|cannot) (?:tell|say)(?: for (?:sure|certain))?"
    r"[ ]{0,2}(?:[.!;]|$)",
    "es": r"no (?:(?:le |te |lo |la |les )?(?:puedo|podemos|puede|podría|alcanzo|consigo"
    r"|sabemos)|es posible|me es posible|soy capaz|se puede|logro|estoy (?:en|aut)|voy a"
    r"|tengo|hay|dispongo|sé|me permite|cuento|proporciona|contiene|ofrece"
    r"|sabría)[^.!?\n]{0,60}?(?:identific|determin|ubic|localiz|ayud|proporcion|decir"
    r"|respond|precis|asist|estim|revel|compart|coordenad|d[óo]nde|datos suf|informaci"
    r"|saber|geoloc)|imposible (?:determin|identific|saber|ubic|localiz|decir|precis)"
    r"|(?:me niego|rechazo)|prefiero no",
    "fr": r"(?:ne (?:peux|puis|pouvons|peut|suis|sais|dispose|souhaite|vais|contient|fournit"
    r"|permet)|n'(?:est|ai|arrive|y a))[^.!?\n]{0,30}?\b(?:pas|aucun\w*"
    r"|rien)\b[^.!?\n]{0,60}?(?:identifi|détermin|localis|aider|fourni|dire|donner|répond"
    r"|indiqu|précis|situer|estim|révél|partag|devin|où\b|lieu|information|endroit|mesure"
    r"|possible|place\b|indice)|ne saurais dire|impossible (?:de"
    r"|d')[^.!?\n]{0,20}(?:détermin|dire|identifi|localis|situ|savoir|précis)|incapable d"
    r"|je refuse|(?:ne puis|ne peux) (?:vous )?(?:aider|répondre|dire|indiquer|fournir"
    r"|identifier|déterminer|localiser)",
    "de": r"(?:kann|können|konnte|darf|möchte|werde|lässt)\b[^.!?\n]{0,90}?\b(?:nicht|kein\w*"
    r"|leider)\b[^.!?\n]{0,80}?(?:identifizier|bestimm|lokalisier|helfen|sagen|geben"
    r"|nennen|beantwort|ermitt|angeben|erkennen|feststell|verrat|schätz|zuordn|behilflich"
    r"|preisgeben|machen|teilen|unterstütz)|(?:nicht|un)\s?möglich[^.!?\n]{0,80}(?:Ort"
    r"|Stand|bestimm|sagen|identif|lokalis|wo\b)|keine \w+ (?:ist )?möglich"
    r"|nicht in der Lage|nicht (?:erkennbar|bestimmbar|feststellbar|ersichtlich"
    r"|identifizierbar)|(?:nicht genügend|nicht genug|zu wenig"
    r"|keine ausreichenden) (?:Info|Hinweis|Angaben|Details)"
    r"|weiß (?:ich )?(?:leider )?nicht, wo|(?:reich"
    r"|genüg)\w*[^.!?\n]{0,50}nicht[^.!?\n]{0,30}(?:aus|um|zu)|(?:lehne|verweigere)\b"
    r"|unmöglich zu sagen",
    "it": r"non può essere (?:identific|determin|localizz|stabil)|non (?:(?:ti|vi|le|lo"
    r"|la) )?(?:posso|riesco|è possibile|mi è possibile|sono in grado|si può|ho|so|ci sono"
    r"|dispongo|contiene|possiamo|intendo|si riesce|saprei"
    r"|fornisce)[^.!?\n]{0,60}?(?:identific|determin|localizz|aiutar|aiuto|forni|dir[et]"
    r"|dare|rispond|stabilir|indic|stim|individu|dove|rivel|condivid|capir|informazioni"
    r"|assist|coordinat)|impossibile (?:determin|dir|stabil|identific|individu|localizz)"
    r"|mi rifiuto",
    "pt": r"não pode ser (?:identific|determin|localiz)|não (?:(?:te|lhe|o|a) )?(?:posso|poderia"
    r"|consigo|é possível|sou capaz|tenho|há|sei|me é possível|podemos|vou|estou|disponho"
    r"|contém|dá para|saberia|fornece)[^.!?\n]{0,60}?(?:identific|determin|localiz|ajud"
    r"|fornec|dizer|dar|respond|estim|onde|revel|indic|informaç|precis|compartilh|partilh"
    r"|auxili|saber|coordenad)|impossível (?:determin|identific|dizer|saber|localiz"
    r"|precis)|(?:me )?recus[oa]\b",
    "ru": r"(?:не (?:могу|можем|может|удаётся|удается|удалось|в состоянии|смогу|получится|буду"
    r"|представляется возможным|имею|имеется)|невозможно|нельзя"
    r"|отказываюсь)[^.!?\n]{0,70}?(?:определ|помо|установ|идентифи|сказ|предостав|наз[ыв]"
    r"|ответ|указ|опозн|локализ|узна|поня|раскры|сообщ|угада|оцен|возможн|выполн|дать)"
    r"|не знаю,? где|не располагаю|недостаточно (?:информации|данных|деталей|признаков)"
    r"|(?:информации|данных|деталей|признаков) недостаточно|(?:определить|установить"
    r"|сказать|назвать|помочь|ответить|понять)[^.!?\n]{0,40}(?:невозможно|нельзя|не (?:уда"
    r"|могу|смогу))",
    "zh": r"(?:无法|無法|不能|没办法|沒辦法|没有办法|难以|難以|拒绝|拒絕|不便|不可以|不会"
    r"|不能够)[^。!?\n]{0,24}?(?:确定|確定|识别|識別|判断"
    r"|判斷|提供|帮助|幫助|协助|協助|回答|定位|告诉|推断|推斷|辨认|辨認|得知|给出|給出|确认"
    r"|確認|透露|猜测|满足)"
    r"|不知道[^。!?\n]{0,16}(?:哪|地|位置)|信息不足|(?:没有|沒有|缺乏)[^。!?\n]{0,10}(?:足够"
    r"|足夠)[^。!?\n]{0,6}(?:信息|資訊|线索|線索)",
    "ja": r"(?:特定|判断|判別|答え|手伝い|提供|回答|推定|識別|確認|教え|対応|協力|断定|決定"
    r"|手助け|応じ|示す)[^。!?\n]{0,16}?(?:できません"
    r"|出来ません|できない|不可能|かねます|困難|難しい|られません|ません)|わかりません"
    r"|分かりません|(?:場所|どこ|位置"
    r"|撮影地)[^。!?\n]{0,24}不明です|お断り|(?:情報|手がかり)[^。!?\n]{0,8}(?:不足|不十分"
    r"|足りません|ありません)",
    "ko": r"(?:특정|판단|확인|식별|제공|도와|도움|답변|알려|파악|추정|결정|말씀|대답|공유|응할"
    r"|알아|알|밝힐)[^.!?\n]{0,16}?(?:수(?:가"
    r"|는)? 없|어렵|불가능|못하|못합|못해|드리지 못|않겠)|모르겠|(?:어디|위치"
    r"|장소)[^.!?\n]{0,20}모르|(?:정보"
    r"|단서)[^.!?\n]{0,8}(?:부족|충분하지)",
    "ar": r"(?:لا (?:أستطيع|يمكنني|يمكن|نستطيع|أقدر|أعرف)|غير قادر|لست قادر|يتعذر|تعذر"
    r"|من المستحيل|أعتذر عن|لن أ)[^.!؟\n]{0,60}?(?:تحديد|مساعد|معرفة|تقديم|التعرف|الإجابة"
    r"|إعطاء|أين|مشاركة|القول)",
    "hi": r"(?:पहचान|बता|निर्धारित|मदद|सहायता|पता|स्थान|उत्तर|जानकारी|साझा"
    r"|अनुमान)[^।!?\n]{0,40}?(?:नहीं|असमर्थ|असंभव)|असमर्थ हूँ|नहीं (?:पता|जानता|जानती)",
}
_REFUSAL = re.compile("|".join(f"(?:{words})" for words in _DECLINES.values()), re.I)
# What follows a refusal and takes it back: a guess that names something.
_GUESS = re.compile(
    r"best guess|my guess|would guess|i(?:'d| would) say|(?:most )?likely (?:in|a|the)\b"
    r"|probably in|(?:appears|seems|looks like|could be|might be|suggests?|resembl\w+"
    r"|located)\b[^.!?\n]{0,50}?\b(?-i:[A-Z][a-zà-ÿ]{2,})|(?:mi|la) (?:mejor )?(?:suposición"
    r"|conjetura)|probablemente (?:en|es|sea)|parece (?:ser|estar)|(?:je dirais"
    r"|il s'agit (?:probablement|sans doute)|probablement (?:en|à|au))|(?:vermutlich"
    r"|wahrscheinlich|schätzungsweise|tippe)(?: aber)? (?:in|auf|aus|um)|probabilmente (?:in|a|è"
    r"|si)|(?:direi|sembra) |provavelmente (?:em|é|no|na)|parece (?:ser|com)|(?:скорее всего"
    r"|вероятно|похоже на|предполож)|(?:可能是|大概是|应该是|很可能|推测|猜测是)|(?:おそらく"
    r"|と思われ|でしょう|推測され)|(?:아마"
    r"|추정됩|것 같|보입니다)|(?:ربما|على الأرجح|يبدو أن)|(?:शायद|संभवतः)",
    re.I,
)
_UNKNOWN = re.compile(
    r"\b(?:lat(?:itude)?|lon(?:gitude)?|lng|coordinates?|location|gps)\b[\"'*]{0,4}\s{0,4}[:=]"
    r"[\s\"'*\[({]{0,6}(?:n/?a\b|unknown|null\b|none\b|not (?:available|applicable|determin|known"
    r"|specified|possible|identif)|undetermin|unclear|cannot|can't|indetermin|unidentif)",
    re.I,
)
_HEAD = 3000
"""A refusal comes early or last: so many characters at either end are looked at."""


def is_refusal(text: Any) -> bool:
    """Return whether an answer declines to say, or says that it cannot say, where the place is.

    An answer with a coordinate or a named region is none, nor one that goes on to a guess;
    a coordinate given as null or unknown is.

    Parameters
    ----------
    text
        The completion; anything that is not a str is no refusal.

    Examples
    --------
    >>> is_refusal("I'm sorry, I can't help with identifying locations in photos.")
    True
    >>> is_refusal("Es tut mir leid, aber ich kann den Ort nicht bestimmen.")
    True
    >>> is_refusal("I can't see any signs, but this is Kyoto."), is_refusal("(48.85, 2.29)")
    (False, False)
    """
    if not isinstance(text, str) or not text.strip():
        return False
    return parse_tolerant(text).lat is None and declines(text)


def declines(text: str) -> bool:
    """Return whether a text that holds no coordinate is a refusal, see `is_refusal`."""
    body = blocks.without_thinking(blocks.final_turn(text[-MAX_CHARS:]))[0].replace("’", "'")
    if len(body) > 2 * _HEAD:
        body = body[:_HEAD] + "\n" + body[-_HEAD:]
    if any(read_names(body)):
        return False
    said = [match.end() for match in _REFUSAL.finditer(body)]
    if not said:
        return _UNKNOWN.search(body) is not None
    return _GUESS.search(body, said[-1]) is None
