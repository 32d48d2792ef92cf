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
# What else is said instead: nothing to go by, a place called unknown, a request turned down.
_TURNS_DOWN = {
    "en": r"(?:must|have to|need to|going to)(?: \w+)? (?:decline|refuse)\b|\bI (?:decline"
    r"|refuse)\b|something I (?:don't|do not|can't|cannot|won't) do|would be (?:(?:pure"
    r"|mere|only|just|sheer|total) )?(?:guesswork|a guess|speculati\w+)|\b(?:no|not a"
    r"|without a|any) (?:clue|idea)\b[^.!?\n]{0,20}(?:where|what place|location)"
    r"|too (?:\w+ )?(?:blurr\w+|generic|dark|vague|unclear|ambiguous|low[- ]res\w*|close"
    r"|small)\b[^.!?\n]{0,30}\b(?:to|for me to) (?:\w+ )?(?:identif|determin|tell|locat"
    r"|say|place|pin)|(?:isn't|is not|not|im)\s?possible to (?:\w+ ){1,3}(?:the "
    r"|its )?(?:coordinates|location|place)|(?:rules|guidelines|policy|policies"
    r"|instructions) (?:do not|don't|does not|forbid|prohibit|prevent)|(?:prefer"
    r"|rather) not (?:to )?(?:speculat|guess|say|answer|shar|disclos|identif)"
    r"|nothing (?:in|about|on|here)\b[^.!?\n]{0,40}(?:reveal|indicat|identif|tells?\b"
    r"|gives? away|points? to|hints?)|(?:hard|difficult|tough) to (?:say|tell|know"
    r"|determine|pinpoint|judge)(?: \w+)? where|(?:don't|do not"
    r"|lack) (?:have )?the (?:ability|capability|means|tools) to[^.!?\n]{0,30}(?:determin"
    r"|identif|locat)|\bno (?:\w+ )?(?:location|coordinates?|place|position) (?:can"
    r"|could) be\b|(?:location|place|coordinates?|position)[^.!?\n]{0,20}(?:can(?:'t|not"
    r"| not)|could(?:n't| not)) be\b|(?:lacks?|without"
    r"|no) (?:any )?(?:\w+ ){0,2}(?:landmarks?|clues?|cues"
    r"|markers?)[^.!?\n]{0,30}\b(?:to (?:locat|identif|determin|plac))|(?:^"
    r"|\n)\W{0,3}(?:the )?(?:location|place|position)?\W{0,3}(?:is |remains )?(?:unknown"
    r"|undetermin\w+|unidentifi\w+)\b\W{0,3}(?:$|\n)",
    "es": r"(?:debo|tengo que|he de) (?:declinar|rechazar|negarme)|(?:ubicaci[óo]n|lugar"
    r"|localizaci[óo]n|sitio)\W{1,3}(?:es )?(?:desconocid|indeterminad|no identificad)"
    r"|(?:difícil|complicado) (?:saber|decir|determinar|precisar"
    r"|identificar)[^.!?\n]{0,15}(?:d[óo]nde|el lugar|la ubicaci)|\bno (?:ofrece|contiene"
    r"|muestra|hay|aporta|veo|encuentro)[^.!?\n]{0,40}(?:pistas|indicios|elementos"
    r"|detalles|referencias)|(?:nada|ning[úu]n \w+)[^.!?\n]{0,30}(?:permit\w+"
    r"|revel\w+) (?:\w+ )?(?:identif|saber|ubic|localiz|determin|el lugar|d[óo]nde)"
    r"|demasiad[oa] [^.!?\n]{0,30}(?:identif|determin|saber|ubic|localiz)|ni idea"
    r"|no me permiten",
    "fr": r"(?:dois|devons|suis (?:contraint|obligée?)[^.!?\n]{0,5}) (?:de )?(?:décliner"
    r"|refuser)|(?:lieu|endroit|emplacement|localisation)\W{1,3}(?:est )?(?:inconnu"
    r"|indétermin)|(?:difficile|compliqué|délicat) d(?:e |')(?:dire|savoir|détermin"
    r"|identifi|précis|devin)[^.!?\n]{0,20}(?:où|lieu|endroit|emplacement)|(?:rien"
    r"|aucun\w*)[^.!?\n]{0,40}\bne (?:me )?(?:permet|indique|révèle|laisse)"
    r"|préf[èe]re (?:ne pas|m'abstenir)|impossible d(?:e |')[^.!?\n]{0,20}(?:donn|indiqu"
    r"|fourn)|ne saurais\b|trop [^.!?\n]{0,25}pour [^.!?\n]{0,25}(?:détermin|identifi"
    r"|localis|situer|dire)|aucune idée|pas la moindre idée|pas autorisée?|pas (?:assez"
    r"|suffisamment) d(?:e |')(?:indices|éléments|détails|informations)",
    "de": r"(?:muss|müssen)[^.!?\n]{0,70}(?:ablehnen|verzichten|passen)|(?:Ort|Standort"
    r"|Aufnahmeort|Position)\W{1,3}(?:ist )?(?:leider )?(?:unbekannt|unklar)"
    r"|nichts[^.!?\n]{0,40}(?:auf den|was auf|verrät|hinweist|hindeutet)|(?:fehlen"
    r"|fehlt)[^.!?\n]{0,50}(?:Hinweis|Information|Anhaltspunkt|Angaben|Merkmal)|(?:schwer"
    r"|schwierig) zu (?:sagen|bestimmen|erkennen|beurteilen),? (?:wo\b|an welchem)"
    r"|keine Ahnung|(?:zu \w+)[^.!?\n]{0,6}um [^.!?\n]{0,30}(?:bestimm|erkenn|sagen"
    r"|identif|lokalis)|(?:bestimmung|Lokalisierung|Zuordnung)[^.!?\n]{0,25}(?:nicht"
    r"|un)\s?möglich|nicht (?:\w+ )?(?:spekulieren|mutmaßen|raten)"
    r"|keine?\b[^.!?\n]{0,30}(?:Hinweise|Anhaltspunkte|Merkmale)[^.!?\n]{0,40}(?:Ort"
    r"|Standort|Land|wo\b)",
    "it": r"(?:devo|dobbiamo) (?:declinare|rifiutare)|(?:posizione|luogo|località"
    r"|ubicazione)\W{1,3}(?:è )?(?:sconosciut|ignot|indeterminat)|difficile (?:dire|sapere"
    r"|stabilire|capire|determinare)[^.!?\n]{0,15}(?:dove|luogo|posizione)"
    r"|preferisco (?:non|evitare)|(?:nulla|niente|nessun\w*)[^.!?\n]{0,40}(?:permette"
    r"|consente|indica|rivela)[^.!?\n]{0,20}(?:identific|determin|luogo|dove|posizione"
    r"|paese|capire)|non (?:offre|contiene|mostra|vedo|ci sono)[^.!?\n]{0,30}(?:indizi"
    r"|elementi|dettagli)|troppo [^.!?\n]{0,25}per [^.!?\n]{0,20}(?:determin|identific"
    r"|capir|dire|stabil)|non (?:ho|ne ho) (?:la minima )?idea|non possono essere"
    r"|non (?:è possibile|si può) risalire",
    "pt": r"(?:preciso|devo|tenho (?:de|que)|vou) (?:recusar|declinar)|(?:local|localização"
    r"|lugar|posição)\W{1,3}(?:é )?(?:desconhecid|indeterminad)|difícil (?:dizer|saber"
    r"|determinar|identificar|precisar)[^.!?\n]{0,15}(?:onde|o local|o lugar|a localiz)"
    r"|(?:nada|nenhum\w*)[^.!?\n]{0,40}(?:permite|indica|revela)[^.!?\n]{0,20}(?:identific"
    r"|determin|local|lugar|onde|país)|prefiro não|não (?:há|fornece|oferece|contém|mostra"
    r"|vejo|apresenta)[^.!?\n]{0,30}(?:pistas|indícios|elementos|detalhes)|não (?:faço"
    r"|tenho) (?:a (?:menor|mínima) )?ideia|não podem? ser (?:determin|identific)"
    r"|demais para [^.!?\n]{0,20}(?:identific|determin|saber|dizer)|não tenho (?:como"
    r"|permissão)",
    "ru": r"(?:место\w*|локация|координаты)[^.!?\n]{0,20}(?:неизвестн|не определ[её]н"
    r"|не установлен)|(?:трудно|сложно|тяжело|затруднительно|затрудняюсь) (?:\w+ )?(?:сказ"
    r"|определ|поня|суд|установ|назв|отве)|(?:вынужден|должн"
    r"|должен)\w*[^.!?\n]{0,12} отказа|(?:ничто|ничего)[^.!?\n]{0,40} не (?:указ|говор"
    r"|позвол|выда)|понятия не имею|без понятия"
    r"|слишком [^.!?\n]{0,25}чтобы [^.!?\n]{0,20}(?:определ|сказ|поня|установ)"
    r"|не разреш[её]н|запрещено|не (?:умею|способ\w+|имею возможности|хочу"
    r"|стану)[^.!?\n]{0,30}(?:определ|гада|называ|указ|распозна)|(?:нет|отсутству\w+"
    r"|не вижу)[^.!?\n]{0,40}(?:признаков|признаки|деталей|ориентир|подсказ|примет)",
    "zh": r"(?:位置|地点|地點|地方|坐标)[:： 是]{0,2}(?:未知|不明|不详|不詳)|(?:很难|很難|难以"
    r"|難以|不好)(?:判断|判斷|确定|確定|看出|说|說|推测)|(?:没有|沒有|缺乏"
    r"|看不到)[^。!?\n]{0,12}(?:识别|識別|判断|判斷|确定|確定|辨认|线索|線索)|看不出"
    r"|太(?:模糊|少|暗|笼统)[^。!?\n]{0,8}(?:无法|不能|难)|毫无头绪|(?:不方便|不便)(?:透露"
    r"|提供|回答|告知)|(?:无从|無從)(?:得知|判断|知晓|确定)|(?:必须|必須|只能|不得不)拒",
    "ja": r"(?:応え|伝え|答え|申し上げ|絞り込|割り出)[^。!?\n]{0,6}(?:できません|できない"
    r"|ません)|(?:場所|位置|撮影地|地点)[^。!?\n]{0,6}(?:不明|わからない|分からない"
    r"|定かで)|(?:手がかり|情報|目印|特徴)[^。!?\n]{0,14}(?:足り|乏し|見当たりません"
    r"|見つかりません|ない)|(?:お断り|辞退|控え)|(?:少なすぎ|不鮮明"
    r"|曖昧)[^。!?\n]{0,12}(?:ません|ない)|見当(?:も|が)つき",
    "ko": r"(?:단서|정보|특징|표지)[^.!?\n]{0,8}(?:없|부족|보이지 않)|너무 (?:적|부족|흐|어두)"
    r"|짐작(?:도|이) 안|거절|거부|사양|(?:판단|특정|파악|확인|추정|말)[^.!?\n]{0,6}(?:힘듭"
    r"|힘들|어렵|곤란)|(?:위치|장소|어디)[^.!?\n]{0,10}(?:미상|불명|알 수 없|알기 어)",
    "ar": r"لا (?:توجد|يوجد|يحتوي|تحتوي|تتوفر|يتوفر|تظهر|أرى)[^.!؟\n]{0,40}(?:معلومات|دليل|أدلة"
    r"|دلائل|مؤشرات|علامات|كافية)|(?:الموقع|المكان)[^.!؟\n]{0,8}(?:غير معروف|مجهول"
    r"|غير محدد)|من (?:الصعب|العسير)[^.!؟\n]{0,15}(?:معرفة|تحديد|القول|أن)|ليس (?:بوسعي"
    r"|بإمكاني|في وسعي|باستطاعتي)|أرفض|مضطر[^.!؟\n]{0,12}رفض|أفضل عدم|لا أملك"
    r"|ليس(?:ت)? لدي[^.!؟\n]{0,20}(?:معلومات|فكرة|كافية)|لا (?:يسمح|يُسمح)",
    "hi": r"(?:स्थान|जगह|स्थिति|लोकेशन)[^।!?\n]{0,6}अज्ञात|(?:कहना|बताना|पहचानना"
    r"|जानना)[^।!?\n]{0,6}(?:मुश्किल|कठिन)|(?:देना|बताना|करना|जानना)[^।!?\n]{0,6}संभव नहीं"
    r"|(?:पर्याप्त|कोई)[^।!?\n]{0,30}(?:संकेत|सुराग|जानकारी)[^।!?\n]{0,8}नहीं|(?:अंदाज़ा"
    r"|अंदाजा|अनुमान)[^।!?\n]{0,6}नहीं|निर्देशांक[^।!?\n]{0,12}नहीं|अनुमति नहीं|(?:अनुरोध"
    r"|उत्तर)[^।!?\n]{0,14}(?:अस्वीकार|मना|इनकार)",
}
_REFUSAL = re.compile(
    "|".join(f"(?:{_DECLINES[code]})|(?:{_TURNS_DOWN[code]})" for code in LANGUAGES), re.I
)
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
