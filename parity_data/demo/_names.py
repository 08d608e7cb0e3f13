"""People, streets and places of fifteen languages in ten scripts.

A name is written ``native=latin`` where the Latin form cannot be had by dropping accents.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_PLAIN = str.maketrans(
    {"ł": "l", "ß": "ss", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "'": "", "-": "", "’": ""}
)


@dataclass(frozen=True)
class Locale:
    """One language. given, family: (native, latin) pairs; places: (city, postcode prefix, dial area)."""

    language: str
    country: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    family_first: bool = False
    space: str = " "


def latin(native: str) -> str:
    """Lower-case ASCII of a name in Latin script."""
    plain = unicodedata.normalize("NFKD", native.lower().translate(_PLAIN))
    return "".join(c for c in plain if c.isascii() and c.isalpha())


def _pairs(words: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for word in words.split():
        native, _, romanised = word.partition("=")
        pairs.append((native.replace("_", " "), romanised or latin(native)))
    return tuple(pairs)


def _locale(
    language: str, country: str, given: str, family: str, streets: str, places: str, **more: object
) -> Locale:
    return Locale(
        language,
        country,
        _pairs(given),
        _pairs(family),
        tuple(streets.split("|")),
        tuple((p.split("=")[0], p.split("=")[1]) for p in places.split("|")),
        **more,  # type: ignore[arg-type]
    )


#: The more often a language is meant to occur, the earlier it stands.
LOCALES = (
    _locale(
        "de",
        "DE",
        "Anna Lukas Marie Jonas Lea Felix Jürgen Käthe Björn Sabine Uwe Ingrid Matthias Annegret Sören Zoë "
        "Hans-Peter Ulrike Günther Renate Thorsten Änne Moritz Frieda",
        "Müller Schmidt Schneider Fischer Weber Groß Schäfer Köhler Jäger Vogel Krüger Weiß Böhm Lange "
        "Hoffmann Strauß Öztürk Kowalski Petersen Brüggemann Lindner Ühlein Meyer-Landrut Stöcker",
        "Lindenstraße|Am Markt|Goethestraße|Bahnhofstr.|Straße des 17. Juni|Königsallee|Zur Mühle",
        "Berlin=10|Köln=50|Hamburg=20|München=80|Görlitz=02|Bad Füssing=94",
    ),
    _locale(
        "en",
        "US",
        "James Mary Robert Patricia Michael Linda David Susan Grace Owen Chloe Ethan Ruth Malik Shanice "
        "Connor Siobhán Zara Noah Beatrix Tyrone Imani Walt Dolores",
        "Smith Johnson Williams Brown Jones Miller Davis O'Brien McAllister Washington Carter Nguyen Baker "
        "D'Angelo Fitzgerald Hughes Okafor Price Reed-Thompson Walsh Ford St.John Young King",
        "Main St|Oak Avenue|Elm Street, Apt 4|5th Ave|Martin Luther King Jr Blvd|County Road 12",
        "Springfield=62|New Haven=06|Austin=78|St. Paul=55|Portland=97|Winston-Salem=27",
    ),
    _locale(
        "es",
        "ES",
        "María José Carmen Antonio Lucía Manuel Iñaki Begoña Javier Nuria Álvaro Rocío Sofía Andrés Inés "
        "Martín Ángela Pau Xènia Íñigo",
        "García López Martínez Sánchez Muñoz Núñez Ibáñez Peña Gómez Ortega Díaz Vázquez Castaño Etxebarria "
        "Güell Puig de_la_Cruz Zamora Quiñones Cabrera",
        "Calle Mayor|Avda. de la Constitución|Plaza de España|C/ San Juan, 2º B|Paseo del Prado",
        "Madrid=28|Barcelona=08|A Coruña=15|Málaga=29|Donostia=20",
    ),
    _locale(
        "pl",
        "PL",
        "Łukasz Małgorzata Paweł Agnieszka Michał Żaneta Świętosław Józef Zofia Stanisław Bożena Jędrzej "
        "Kinga Rafał Grażyna Wojciech",
        "Kowalczyk Wiśniewska Wójcik Dąbrowski Zieliński Szymańska Żak Śliwa Łoś Błaszczyk Gołąb Jabłońska "
        "Krzyżanowski Pająk Sęk Mróz",
        "ul. Długa|al. Jerozolimskie|ul. Świętego Marcina|os. Złotego Wieku|pl. Wolności",
        "Warszawa=00|Łódź=90|Kraków=30|Gdańsk=80|Wrocław=50",
    ),
    _locale(
        "fr",
        "FR",
        "Éloïse Jean-Luc Chloé François Amélie Théo Aïcha Gaël Hélène Loïc Noémie Jérôme Solène Rémi Maëlys",
        "Lefèvre Dupont Moreau Girard Bonnet Lécuyer Châtelain d'Estaing Le_Gall Ménard Besançon Noël "
        "Faÿ Hervé Marchand",
        "rue de l'Église|avenue Jean-Jaurès|bd. Saint-Michel|place du Marché|impasse des Cerisiers",
        "Paris=75|Lyon=69|Nîmes=30|Saint-Étienne=42|Besançon=25",
    ),
    _locale(
        "vi",
        "VN",
        "Ánh Hùng Thảo Dũng Hương Quốc Mỹ Đức Phượng Tuấn Ngọc Việt",
        "Nguyễn Trần Lê Phạm Huỳnh Võ Đặng Bùi Đỗ Hồ Ngô Dương",
        "Đường Lê Lợi|Phố Hàng Bạc|Đường Nguyễn Huệ",
        "Hà Nội=10|Huế=53|Đà Nẵng=55",
        family_first=True,
    ),
    _locale(
        "ru",
        "KZ",
        "Мария=maria Иван=ivan Анна=anna Дмитрий=dmitry Ольга=olga Сергей=sergey Наталья=natalya "
        "Алексей=alexey Юлия=yulia Пётр=petr Екатерина=ekaterina Артём=artem Любовь=lyubov Фёдор=fedor",
        "Иванов=ivanov Смирнова=smirnova Кузнецов=kuznetsov Попова=popova Соколов=sokolov Лебедева=lebedeva "
        "Щукин=shchukin Королёва=koroleva Тимофеев=timofeev Белый=bely Ёлкина=elkina Жуков=zhukov",
        "ул. Ленина|пр. Мира|Набережная ул.|пер. Садовый",
        "Алматы=05|Астана=01|Караганда=10",
    ),
    _locale(
        "el",
        "GR",
        "Γιώργος=giorgos Μαρία=maria Νίκος=nikos Ελένη=eleni Κώστας=kostas Αικατερίνη=aikaterini "
        "Δημήτρης=dimitris Σοφία=sofia Θανάσης=thanasis Ζωή=zoi",
        "Παπαδόπουλος=papadopoulos Γεωργίου=georgiou Νικολαΐδης=nikolaidis Οικονόμου=oikonomou "
        "Καραγιάννη=karagianni Βασιλείου=vasileiou Ψαρρός=psarros Ξενάκη=xenaki",
        "Οδός Ερμού|Λεωφ. Αλεξάνδρας|Πλατεία Συντάγματος",
        "Αθήνα=10|Θεσσαλονίκη=54|Ηράκλειο=71",
    ),
    _locale(
        "ar",
        "EG",
        "محمد=mohamed فاطمة=fatma أحمد=ahmed مريم=mariam يوسف=youssef زينب=zeinab خالد=khaled "
        "نور=nour عمر=omar ليلى=laila",
        "حسن=hassan إبراهيم=ibrahim السيد=elsayed عبد_الرحمن=abdelrahman منصور=mansour الشريف=elsherif "
        "سليمان=soliman فؤاد=fouad",
        "شارع التحرير|شارع الجمهورية|ميدان طلعت حرب",
        "القاهرة=11|الإسكندرية=21|أسوان=81",
    ),
    _locale(
        "he",
        "IL",
        "נועה=noa דוד=david תמר=tamar משה=moshe שרה=sara יוסי=yossi רחל=rachel איתן=eitan",
        "כהן=cohen לוי=levi מזרחי=mizrahi פרץ=peretz ביטון=biton אברהם=avraham פרידמן=friedman",
        "רחוב הרצל|שדרות רוטשילד|דרך יפו",
        "תל אביב=61|ירושלים=91|חיפה=31",
    ),
    _locale(
        "zh",
        "TW",
        "伟=wei 秀英=xiuying 志明=zhiming 怡君=yijun 建国=jianguo "
        "雅婷=yating 俊杰=junjie 美玲=meiling 家豪=jiahao 思妤=siyu",
        "王=wang 李=li 张=zhang 陳=chen 林=lin 黃=huang 歐陽=ouyang 吴=wu 司馬=sima 周=zhou",
        "中山路|忠孝東路四段|人民路",
        "台北市=10|高雄市=80|臺南市=70",
        family_first=True,
        space="",
    ),
    _locale(
        "ja",
        "JP",
        "花子=hanako 太郎=taro さくら=sakura ケンジ=kenji 美咲=misaki "
        "ひろし=hiroshi ユキ=yuki 大輔=daisuke あゆみ=ayumi",
        "佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka "
        "渡辺=watanabe 小野寺=onodera 東海林=shoji サイトウ=saito",
        "一番町|中央区銀座|本町通り",
        "東京都=10|大阪市=53|札幌市=06",
        family_first=True,
    ),
    _locale(
        "ko",
        "KR",
        "민준=minjun 서연=seoyeon 지훈=jihun 하은=haeun 도윤=doyun 수아=sua 영희=younghee 철수=chulsoo",
        "김=kim 이=lee 박=park 최=choi 정=jung 남궁=namgung 황=hwang",
        "세종대로|강남대로|테헤란로",
        "서울=03|부산=48|제주시=63",
        family_first=True,
        space="",
    ),
    _locale(
        "hi",
        "IN",
        "आरव=aarav प्रिया=priya राहुल=rahul सुनीता=sunita विक्रम=vikram अनन्या=ananya कृष्ण=krishna लक्ष्मी=lakshmi",
        "शर्मा=sharma सिंह=singh गुप्ता=gupta पटेल=patel अय्यर=iyer कुलकर्णी=kulkarni चट्टोपाध्याय=chattopadhyay",
        "महात्मा गांधी मार्ग|स्टेशन रोड|नेहरू नगर",
        "मुंबई=40|दिल्ली=11|जयपुर=30",
    ),
    _locale(
        "th",
        "TH",
        "สมชาย=somchai มาลี=malee ณัฐพล=nattapon กมลชนก=kamonchanok วิชัย=wichai พิมพ์ชนก=pimchanok",
        "ศรีสุข=srisuk แซ่ลิ้ม=saelim จันทร์เพ็ญ=chanpen วงศ์สวัสดิ์=wongsawat ทองดี=thongdee รัตนกุล=rattanakul",
        "ถนนสุขุมวิท|ถนนพระราม ๔|ซอยอารีย์",
        "กรุงเทพฯ=10|เชียงใหม่=50|ภูเก็ต=83",
    ),
)

COUNTRIES = (
    ("DE", "Germany", "Deutschland", "+49", True),
    ("US", "United States", "United States", "+1", False),
    ("ES", "Spain", "España", "+34", True),
    ("PL", "Poland", "Polska", "+48", True),
    ("FR", "France", "France", "+33", True),
    ("VN", "Vietnam", "Việt Nam", "+84", False),
    ("KZ", "Kazakhstan", "Қазақстан", "+7", False),
    ("GR", "Greece", "Ελλάδα", "+30", True),
    ("EG", "Egypt", "مصر", "+20", False),
    ("IL", "Israel", "ישראל", "+972", False),
    ("TW", "Taiwan", "臺灣", "+886", False),
    ("JP", "Japan", "日本", "+81", False),
    ("KR", "South Korea", "대한민국", "+82", False),
    ("IN", "India", "भारत", "+91", False),
    ("TH", "Thailand", "ประเทศไทย", "+66", False),
    ("GB", "United Kingdom", "United Kingdom", "+44", False),
    ("CH", "Switzerland", "Schweiz/Suisse/Svizzera", "+41", False),
    ("CI", "Côte d'Ivoire", "Côte d’Ivoire", "+225", False),
)
