"""Words of an answer that declines: that something is lacking, and what was asked for.

A short answer that says both in one sentence and names no place declines, however it is put.
The lists are wide for that reason: `refusals` looks whether the text goes on to name a place.
"""

from __future__ import annotations

LACKING = {
    "en": r"\b(?:not|nope|no|never|nothing|none|nor|cannot|\w+n't|without|unable|incapable"
    r"|lack\w*"
    r"|absence|unclear|unknown|impossible|infeasible|difficult|hard|tough|insufficient"
    r"|inadequate|indetermin\w*|undetermin\w*|unidentif\w*|unavailable|withh[eo]ld\w*|refrain\w*"
    r"|abstain\w*|declin\w+|refus\w+|outside|beyond|too \w+|failed|broken|missing|speculat\w+"
    r"|guesswork|made[- ]up|invented|fabricat\w+|arbitrary|irresponsible|inappropriate|unethical"
    r"|anywhere(?! but| else)|any (?:country|place|city|guess|coordinates?)|all over|privacy"
    r"|stumped|defeats|more than|turn\w* (?:this|it|that) down|shot in the dark|nondescript"
    r"|against|prevent\w*|violat\w+|conflicts?|(?:completely|entirely) \w+)\b",
    "es": r"\b(?:no|ni|nada|nunca|ning[úu]n\w*|sin|imposible|difícil|incapaz|insuficient\w*"
    r"|escas\w+|carezco|callar"
    r"|falta\w*|desconocid\w+|indetermina\w+|demasiado|inventad\w+|cualquier\w*|privacidad|niego"
    r"|rechazo|abst\w+|inapropiad\w+|especul\w+|ilegible|vacía|negarme|declinar)\b",
    "fr": r"(?:\b(?:ne|pas|aucun\w*|rien|jamais|ni|sans|impossible|difficile|incapa\w+"
    r"|insuffisan\w+"
    r"|manque\w*|inconnu\w*|indétermin\w+|trop|invent\w+|n'importe|confidentialité|vie privée"
    r"|refus\w+|abst\w+|inappropri\w+|spécul\w+|déclin\w+|contraire|peu)\b|\bn')",
    "de": r"\b(?:nicht\w*|kein\w*|nie|ohne|un(?:möglich|bekannt|klar|angemessen|bestimmbar"
    r"|verantwortlich"
    r"|fähig|scharf)\w*|schwer|schwierig|fehl\w+|mangel\w*|zu (?:un\w+|ver\w+|dunkel|klein"
    r"|wenig\w*|allgemein)|erfunden|überall|irgendwo|ablehn\w+"
    r"|verweiger\w+|verzicht\w+|enthalte|lehne|spekul\w+|raterei|Datenschutz\w*|Ahnung"
    r"|willkürlich)\b",
    "it": r"\b(?:non|né|niente|nulla|nessun\w*|mai|senza|impossibile|difficile|incapac\w+"
    r"|insufficient\w+"
    r"|manca\w*|sconosciut\w+|ignot\w+|indeterminat\w+|tropp\w+|inventat\w+|ovunque|qualsiasi"
    r"|privacy"
    r"|riservatezza|rifiut\w+|ast\w+|inappropriat\w+|specul\w+|poch\w+)\b",
    "pt": r"\b(?:não|nem|nada|nunca|nenhum\w*|sem|impossível|difícil|incapaz|insuficient\w*"
    r"|falta\w*"
    r"|desconhecid\w+|indeterminad\w+|demasiado|demais|inventad\w+|qualquer|privacidade|recus\w+"
    r"|abst\w+|inapropriad\w+|especul\w+|desfocad\w+|pouc\w+)\b",
    "ru": r"\b(?:не|ни|нет|нельзя|ничего|ничто|никак\w+|без|невозможн\w+|сложно|трудно|затрудн\w+"
    r"|неизвестн\w+"
    r"|неясн\w+|недостаточн\w+|отсутств\w+|слишком|выдум\w+|любо\w+|угодно|конфиденциальност\w*"
    r"|приватност\w*|отказ\w+|воздерж\w+|неуместн\w+|неэтичн\w+|мало|понятия)\b",
    "zh": r"不|没|沒|无|無|未|难|難|缺|拒|恕|隐私|隱私|太|过于|過於|凭空|任何地方|抱歉",
    "ja": r"ません|ない|ず|不|無|難|困難|かね|控え|断り|辞退|乏し|少な|足り|プライバシー|見送",
    "ko": r"없|못|않|안 |아니|어렵|힘들|불가|부족|모르|모릅|미상|거절|거부|사양|삼가|개인정보"
    r"|너무|적어|적습",
    "ar": r"\b(?:لا|لم|لن|ليس\w*|غير|بدون|دون|يتعذر|تعذر|مستحيل|المستحيل|صعب|الصعب|مجهول\w*|أمتنع"
    r"|أرفض|أعتذر"
    r"|عاجز|الخصوصية|جد[اًا]{1,2}|أي مكان|عذرًا|عذراً)\b",
    "hi": r"नहीं|असमर्थ|असंभव|मुश्किल|कठिन|अज्ञात|बिना|अस्वीकार|मना|इनकार|कम |अपर्याप्त|गोपनीयता|कोई भी"
    r"|कहीं भी",
}
"""ISO 639-1 code -> words that say that something is lacking, forbidden or may be anything."""

ASKED = {
    "en": r"\b(?:locat\w+|geoloc\w*|geograph\w*|locali[sz]\w*|places?|placing|placed|where\w*"
    r"|countr\w+"
    r"|city|regions?|coordinates?|position|gps|address\w*|origin\w*|clues?|cues?|hints?|evidence"
    r"|information|context|detail|details|idea|know|telling|tell|say|commit|determin\w+"
    r"|identif\w+"
    r"|pinpoint\w*|guess\w*|estimat\w+|answers?|help|assist|request|comply|do (?:that|so|this)"
    r"|speculat\w+|guidelines|polic\w+|comfortable|work with|go on|result|inference|narrow\w*"
    r"|frame|track\w*|residence|privat\w+|this (?:one )?(?:defeats|down)|answered|region\w*"
    r"|stumped|figure)\b",
    "es": r"\b(?:ubica\w*|localiz\w*|lugar\w*|sitio|d[óo]nde|país\w*|ciudad|coordenad\w*"
    r"|posici\w+|direcci\w+"
    r"|geogr\w+|pista\w*|indicio\w*|elementos|informaci\w+|detalle\w*|datos|idea|sé|saber\w*"
    r"|sabría"
    r"|decir\w*|determin\w+|identific\w+|precis\w+|averigu\w+|reconoc\w+|respond\w+|contest\w+"
    r"|domicilio|respuesta|ayud\w+"
    r"|solicitud|petición|estima\w+|adivin\w+|compart\w+|revel\w+|inferir|deducir"
    r"|cualquier\w*)\b",
    "fr": r"\b(?:lieu\w*|endroit|emplacement|locali\w+|où|pays|ville|coordonn\w+|position|adresse"
    r"|géogr\w+"
    r"|situ\w+|indices?|éléments?|informations?|détails?|données|idée|sais|saurais|savoir|dire"
    r"|détermin\w+|identif\w+|précis\w+|prononcer|répond\w*|réponse|aide\w*|demande|estim\w+"
    r"|devin\w+"
    r"|partag\w+|révél\w+|dédui\w+|reconn\w+|autoris\w+)\b",
    "de": r"(?:\b(?:wo|woher|sagen|weiß|wissen|helfen|nennen|angeben|idee|ahnung|land|stadt"
    r"|gps)\b|ort\b|orts"
    r"|standort|position|koordinat|adresse|geogra|lokalis|verort|hinweis|anhaltspunkt|merkmal"
    r"|information"
    r"|details|angabe|auskunft|bestimm|identifi|zuordn|einordn|eingrenz|erkenn|ermittel|festste"
    r"|antwort"
    r"|anfrage|frage|schätz|rate|vermut|spekul|beurteil|verrat)",
    "it": r"\b(?:luog\w+|posizion\w+|località|localizz\w+|ubicazion\w+|dove|paes\w+|città"
    r"|coordinat\w+"
    r"|indirizz\w+|geogra\w+|indizi\w*|element\w+|informazion\w+|dettagli\w*|dati|idea|so|saprei"
    r"|saper\w*"
    r"|dir\w+|determin\w+|identific\w+|individu\w+|stabilir\w*|precis\w+|risalire|rispond\w+"
    r"|risposta"
    r"|aiut\w+|richiest\w+|stim\w+|indovin\w+|condivid\w+|rivel\w+|dedurre|capire)\b",
    "pt": r"\b(?:locais|local\w*|lugar\w*|sítio|onde|país\w*|cidade|coordenad\w*|posiç\w+"
    r"|endereço|moradas?|geogr\w+"
    r"|pistas?|indícios?|elementos|informaç\w+|detalhes?|dados|ideia|sei|saber\w*|dizer\w*"
    r"|determin\w+"
    r"|identific\w+|precis\w+|descobrir|apontar|respond\w+|resposta|ajud\w+|pedido|estim\w+"
    r"|adivinh\w+"
    r"|partilh\w+|compartilh\w+|revel\w+|deduzir|reconhec\w+)\b",
    "ru": r"\b(?:мест\w+|где|стран\w+|город\w*|координат\w*|локац\w+|местоположен\w+|местност\w*"
    r"|адрес\w*"
    r"|географ\w+|признак\w*|подсказ\w+|ориентир\w*|информац\w+|детал\w+|данн\w+|знаю|сказать"
    r"|определ\w+"
    r"|установ\w+|назвать|назов\w+|указ\w+|идентиф\w+|опозна\w+|поня\w+|ответ\w*|помо\w+"
    r"|просьб\w+|запрос\w*"
    r"|оцен\w+|угад\w+|гада\w+|предполож\w+|раскры\w+|понятия|привязать)\b",
    "zh": r"位置|地点|地點|哪|坐标|座標|经纬|經緯|地理|国家|國家|城市|线索|線索|信息|資訊|特征"
    r"|依据|判断|判斷|确定|確定|识别"
    r"|識別|定位|推断|推測|推测|猜|回答|作答|告诉|告訴|提供|帮|幫|请求|要求|知道|看出|得出|透露"
    r"|地方",
    "ja": r"場所|位置|地点|撮影地|どこ|座標|緯度|国|都市|住所|手がかり|情報|目印|ヒント|特徴|特定"
    r"|判断|判別|推定|推測|回答|答え"
    r"|教え|提供|対応|依頼|要望|わから|分から|断定|絞り|見当|応じ|示すもの",
    "ko": r"위치|장소|어디|좌표|나라|국가|도시|주소|단서|정보|특징|근거|특정|판단|파악|추정|추측"
    r"|확인|식별|답|말씀|알려|알 |알아"
    r"|모르|제공|도와|도움|요청|부탁|단정|가늠|짐작|공개",
    "ar": r"موقع|مكان|أين|إحداثيات|الإحداثيات|بلد|دولة|مدينة|عنوان|دليل|أدلة|مؤشر|معلومات|تفاصيل"
    r"|تحديد|معرفة|أعرف|القول"
    r"|الجزم|الإجابة|إجابة|مساعد|طلب|تقدير|تخمين|التعرف|مشاركة|الكشف|معالم",
    "hi": r"स्थान|जगह|कहाँ|कहां|निर्देशांक|देश|शहर|पता|संकेत|सुराग|जानकारी|पहचान|बता|निर्धारित|तय"
    r"|उत्तर|जवाब|मदद|सहायता"
    r"|अनुरोध|अनुमान|अंदाज़ा|अंदाजा|साझा|लोकेशन",
}
"""ISO 639-1 code -> words of what was asked for: a place, what shows it, and saying it."""

NO_PICTURE = (
    r"\b(?:image|photo|picture|attachment|file)s?\b[^.!?\n]{0,30}(?:n't|not|failed to"
    r"|never)[^.!?\n]{0,15}"
    r"(?:load|attach|upload|come through|display|provid|includ|receiv|arriv|open|available"
    r"|render)"
    r"|(?:n't|not|unable to|cannot|ability to) (?:\w+ ){0,2}(?:see|view|access|open|receive"
    r"|process) "
    r"(?:\w+ ){0,3}(?:image|photo|picture|attachment)s?\b(?! of)|(?:text[- ]only"
    r"|language) model\b"
    r"|(?:completely|entirely|totally|fully) (?:black|blank|white|dark|grey|gray)\b"
    r"|no (?:image|photo|picture) (?:\w+ )?(?:attached|provided|uploaded|included|received)"
    r"|\b(?:imagen|foto|imagem|immagine|image)\b[^.!?\n]{0,12}(?:\bno se|\bno fue|não foi"
    r"|non è stata|ne "
    r"s'est pas|n'a pas)\b[^.!?\n]{0,8}(?:carg|adjunt|recib|carreg|anex|caric|allegat|charg|join"
    r"|reçu)"
    r"|(?:\bno|não|non|ne|n'ai) (?:\w+ ){0,3}(?:ver|veo|vejo|vedo|vedere|vois|visualiz\w+|reçu"
    r"|accès\w*"
    r"|acceso|acesso|accesso)\b[^.!?\n]{0,20}(?:im{1,2}[aá]g|foto|photo)|modelo de (?:lenguaje"
    r"|linguagem"
    r"|texto)|modèle de langage|modello linguistico|Sprachmodell|\bkein (?:Bild|Foto)\b|(?:Bild"
    r"|Foto)"
    r"[^.!?\n]{0,20}nicht (?:geladen|laden|übermittelt|hochgeladen|öffnen)"
    r"|(?:изображени|фото|снимок)[^.!?\n]{0,25}\bне (?:загруз|прикреп|открыв|получен)|не (?:вижу"
    r"|получил)"
    r"[^.!?\n]{0,25}(?:изображени|фото|снимк)|языковая модель|(?:图片|圖片|图像"
    r"|照片)[^。!?\n]{0,6}(?:未能"
    r"|没有|无法|未)[^。!?\n]{0,3}(?:加载|上传|显示|打开)|没有(?:看到|收到)[^。!?\n]{0,8}(?:图"
    r"|照片)|语言模型"
    r"|画像[^。!?\n]{0,8}(?:添付|表示|読み込|確認|届)[^。!?\n]{0,8}(?:ません|ない)|言語モデル"
    r"|(?:이미지|사진)[^.!?\n]"
    r"{0,10}(?:볼 수 없|첨부되지|업로드되지|불러올 수 없)|언어 모델|لا أرى[^.!؟\n]{0,12}صورة"
    r"|نموذج لغوي|भाषा मॉडल"
    r"|(?:चित्र|तस्वीर|छवि)[^।!?\n]{0,12}(?:संलग्न|लोड|अपलोड|प्राप्त) नहीं"
)
"""No picture came, or the model sees none."""

FIELDS = (
    r"(?:lat(?:itude|itud|itudine)?|lon(?:g(?:itude|itud|itudine)?)?|lng|co-?ordinates?"
    r"|coord\w{0,12}"
    r"|location|gps|position|posizione|posição|ubicaci[óo]n|localiza\w{3,4}|lieu|emplacement"
    r"|luogo"
    r"|lugar|local|place|Ort|Standort|Koordinaten|(?:final )?answer|result|координаты"
    r"|место\w*(?: съ[её]мки)?"
    r"|坐标|座標|位置|地点|場所|좌표|위치|الإحداثيات|الموقع|निर्देशांक|स्थान)"
)
"""What a line or key that holds the place is called."""

UNKNOWN = (
    r"(?:n/?a\b|unknown|null\b|none\b|nil\b|not (?:available|applicable|determin|known|specified"
    r"|possible|identif|given|provided|visible|enough|sufficient)|undetermin|unclear|cannot|can't"
    r"|unable|indetermin|unidentif|insufficient|withheld|no (?:determin|dispon|identif|especif"
    r"|se puede"
    r"|es posible|location|data|coordinates?)|desconocid|non (?:d[ée]termin|disponib|identif"
    r"|connu"
    r"|è possibile|specific)|inconnu|indéterm|impossib|nicht (?:bestimm|verfügbar|erkenn|bekannt"
    r"|ermittel|identif|möglich)|unbekannt|unklar|keine? (?:Angabe|Aussage)|sconosciut|ignot|não "
    r"(?:determin|dispon|identif|é poss|conhec|inform)|desconhecid|не (?:опред|извест|установ"
    r"|указ)"
    r"|неизвест|нет данных|无法|無法|未知|不明|不详|无\b|特定不可|不可|特定でき|なし|알 수 없"
    r"|미상|불명"
    r"|확인 불가|없음|غير (?:معروف|محدد|متوفر|ممكن)|مجهول|अज्ञात|उपलब्ध नहीं)"
)
"""What stands in it where there is no place."""
