"""Everything invented about the association: its credentials, and the words its people are made of."""
# ruff: noqa: E501 - one culture a line

ASSOCIATION_ID = "11111111-2222-3333-4444-555555555555"
ASSOCIATION_NAME = "Society of Lamp Keepers"
ACCESS_KEY_ID = "AKEXAMPLE0001"
SECRET_ACCESS_KEY = "ZXhhbXBsZS1zZWNyZXQtZG8tbm90LXVzZS0wMDAwMDE="  # noqa: S105 - invented
TENANT_ID = "40001"
API_USER = "api-user@lamps.example"
API_PASSWORD = "lamps-in-the-window"  # noqa: S105 - invented
API_USER_ID = "6faf90e4-0009-c0de-8001-0b3c0d5e0001"
CLIENT_ID = "lamps-client"

# Sixteen cultures of sixteen names: a person's two names come from the same row.
FIRST_NAMES = [
    name
    for row in (
        "Ada Grace Oliver Harriet Edmund Florence Arthur Beatrix Hugh Millicent Alfred Constance Rupert Winifred Giles Rosalind",
        "Brian Jennifer Kevin Ashley Tyler Megan Brandon Heather Justin Courtney Marcus Latoya Derek Tamika Wesley Paige",
        "Aoife Ciarán Siobhán Eoin Niamh Pádraig Gráinne Fergus Morag Hamish Ailsa Callum Isla Ruaridh Catriona Angus",
        "Chloé Étienne Amélie François Zoé Jérôme Léa Rémi Hélène Loïc Aurélie Benoît Maëlle Thibault Océane Cédric",
        "Jürgen Käthe Günther Anneliese Björn Heike Matthias Sabine Jörg Ulrike Wolfgang Petra Lothar Ingrid Dieter Gisela",
        "José María Sofía Andrés Lucía Íñigo Ángela Joaquín Inés Raúl Belén Óscar Nuria Hernán Ximena Martín",
        "Giulia Lorenzo Chiara Matteo Francesca Niccolò Elena Alessandro Martina Davide Ilaria Emanuele Beatrice Luca Sara Pietro",
        "João Fátima Luís Conceição Tiago Inês Antônio Beatriz Caetano Luísa Gonçalo Joana Sebastião Mônica Vítor Rita",
        "Åsa Øyvind Søren Maja Jökull Þóra Lars Signe Mikkel Freja Håkan Linnéa Eero Aino Pekka Kaisa",
        "Łukasz Małgorzata Wojciech Agnieszka Zbigniew Jiří Kateřina Tomáš Žofie Ondřej Grażyna Mieczysław Božena Radek Ewa Václav",
        "Dmitri Olena Igor Svitlana Yuri Natalia Bohdan Oksana Sergei Ludmila Taras Yelena Mykola Irina Andriy Tatiana",
        "Priya Arjun Lakshmi Rahul Ananya Vikram Meera Sanjay Kavya Rohan Deepika Suresh Nandini Harish Pooja Amit",
        "Wei Xiaoming Li Jing Hao Mei Qiang Lan Jun Fang Bo Ying Tao Hui Lei Yan",
        "Hana Kenji Yuki Haruto Sakura Takumi Aiko Daichi Emi Ryota Naoko Shinji Misaki Kaito Rin Makoto",
        "Fatima Omar Layla Yusuf Aisha Khalid Zeynep Mehmet Ayşe Tariq Noor İbrahim Salma Hassan Maryam Ömer",
        "Chidi Amara Kwame Abena Thabo Naledi Oluwaseun Ngozi Jabari Wanjiru Minh Linh Ji-woo Min-jun Thảo Seo-yeon",
    )
    for name in row.split()
]
LAST_NAMES = [
    name.replace("_", " ")
    for row in (
        "Byron Hopper Whitcombe Ashdown Fairfax Pemberton Thistlewood Hargreaves Lockwood Marlowe Penrose Wren Aldridge Birtwistle Cole Dunmore",
        "Smith Johnson Brown Miller Davis Washington Jefferson Carter Lee_&_Co Parker Brooks Hayes Coleman Jenkins Perry Powell",
        "O'Neil MacLeod Ó_Briain Fitzgerald McAllister Nic_Dhómhnaill Gallagher Kerr Buchanan O'Sullivan Drummond Byrne Sinclair Ní_Mháille Doyle Fraser",
        "Lefèvre Dubois Béranger Moreau Lacroix Gauthier D'Aubigné Rousseau Périer Fontaine Chevalier Hébert Marchand Noël Carpentier Garçon",
        "Müller Schäfer Weiß Hoffmann Krüger Größl von_der_Heide Lindemann Böhm Zimmermann Königsberger Vogt Jäger Brandt Pfeiffer Strauß",
        "García Núñez Fernández_de_Córdoba Ibáñez Muñoz Peña Zúñiga Castañeda Ruiz Gómez Ordóñez Vázquez Serrano Prieto Álvarez Marín",
        "Rossi Bianchi D'Angelo Ferrari Lombardi De_Luca Moretti Conti Ricci Greco Sartori Dall'Acqua Fabbri Marchetti Vitale Pellegrini",
        "Silva Conceição Gonçalves Araújo Magalhães Simões Pereira Falcão Brandão Leitão Nóbrega Assunção Teixeira Queirós Lourenço Sá",
        "Lindström Sørensen Bjørnstad Åkesson Guðmundsson Hämäläinen Nyström Østergaard Virtanen Kjær Mäkinen Thorvaldsen Sjöberg Dahl Järvinen Holm",
        "Kowalczyk Wiśniewska Dvořák Němcová Brzęczyszczykiewicz Zieliński Šťastný Růžička Wójcik Čapek Szymańska Hašek Žák Górski Łukasik Bartoš",
        "Ivanov Shevchenko Petrova Kovalenko Volkov Bondarenko Sokolova Tkachuk Orlov Melnyk Kuznetsova Hrytsenko Morozov Savchuk Pavlova Zhuk",
        "Sharma Iyer Banerjee Patel Venkataraman Mukherjee Reddy Chatterjee Nair Kulkarni Singh Bhattacharya Rao Menon Desai Gupta",
        "Zhang Wang Chen Liu Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo Lin He",
        "Ito Tanaka Watanabe Yamamoto Kobayashi Nakamura Ōno Sato Fujimoto Matsuda Hayashi Shimizu Kondō Ishikawa Mori Abe",
        "Khan Al-Rashid Haddad Yılmaz Demir Öztürk Çelik Mansour Nasser Şahin El-Sayed Kaya Farouk Aziz Doğan Hussein",
        "Okonkwo Mensah Dlamini Adeyemi Ndlovu Kamau Nguyen Trần Phạm Lê Kim Park Choi Achebe Owusu Đặng",
    )
    for name in row.split()
]
NATIVE_NAMES = [
    ("Ελένη", "Παπαδοπούλου"),
    ("太郎", "山田"),
    ("Наталія", "Шевченко"),
    ("משה", "כהן"),
    ("فاطمة", "الزهراء"),
    ("지우", "김"),
    ("小明", "王"),
    ("प्रिया", "शर्मा"),
]

DOMAINS = [
    "lamps.example",
    "mail.example",
    "harbour-light.example",
    "post.example",
    "keepers.example",
    "beacon.example",
    "webmail.example",
    "inbox.example",
    "north-quay.example",
    "university.example",
    "foundry.example",
    "glassworks.example",
    "example.com",
    "example.org",
    "example.net",
    "museum.example",
]
IDN_DOMAINS = ["bücher.example", "leuchtfeuer-köln.example", "例え.example", "почта.example", "phare-à-terre.example"]
NON_ASCII_LOCALS = ["jürgen", "zoë", "søren", "ñandú", "用户", "почта"]
MALFORMED = [
    "no-at-sign{n}.lamps.example",
    "two@@ats{n}.example",
    "space in{n}@lamps.example",
    "trailing.dot.{n}@lamps.example.",
    "@nobody{n}.example",
    "nowhere{n}@",
    "a{n}@lamps.example, b{n}@lamps.example",
    "<jo{n}@lamps.example",
    "none",
    "n/a",
    "jo{n}@-lamps-.example",
    "jo..{n}..jo@lamps.example",
]

# City, country, chapter. The last rows stand for people whose address is not known.
PLACES: list[tuple[str | None, str | None, str | None]] = [
    ("London", "United Kingdom", "London and South East"),
    ("Bristol", "United Kingdom", "South West"),
    ("Leeds", "United Kingdom", "The North"),
    ("Glasgow", "United Kingdom", "Scotland"),
    ("Dublin", "Ireland", "Ireland"),
    ("Cork", "Ireland", "Ireland"),
    ("Boston", "United States", "New England"),
    ("Atlanta", "United States", "Southern States"),
    ("Denver", "United States", "Mountain"),
    ("Seattle", "United States", "Pacific"),
    ("Chicago", "United States", "Great Lakes"),
    ("Montréal", "Canada", "Canada"),
    ("Halifax", "Canada", "Canada"),
    ("Paris", "France", "Continental"),
    ("Saint-Malo", "France", "Continental"),
    ("Köln", "Germany", "Continental"),
    ("Hamburg", "Germany", "Continental"),
    ("Zürich", "Switzerland", "Continental"),
    ("Sevilla", "Spain", "Iberia"),
    ("Lisboa", "Portugal", "Iberia"),
    ("Genova", "Italy", "Continental"),
    ("Göteborg", "Sweden", "Nordic"),
    ("København", "Denmark", "Nordic"),
    ("Reykjavík", "Iceland", "Nordic"),
    ("Gdańsk", "Poland", "Baltic"),
    ("Łódź", "Poland", "Baltic"),
    ("Praha", "Czechia", "Continental"),
    ("İzmir", "Türkiye", None),
    ("Mumbai", "India", "India"),
    ("Yokohama", "Japan", "Pacific"),
    ("Lagos", "Nigeria", None),
    ("São Paulo", "Brazil", None),
    (None, "United Kingdom", None),
    (None, None, None),
]

MEMBERSHIP_TYPES = ["Keeper", "Apprentice", "Student", "Graduate", "Retired Keeper", "Patron & Friend"]
TITLES = [
    "Lamp Keeper",
    "Head of Signals",
    "Engineer",
    "Curator",
    "Vice President, Finance",
    "Professor",
    "Editor",
    "Harbour Master",
    None,
    None,
    None,
]
LAMPS = ["oil", "gas", "electric", "arc & mirror", "paraffin", None]
LANGUAGES = ["French", "Español", "日本語", "Deutsch", None, None, None]
BOARD_ROLES = ["President", "Vice President", "Treasurer", "Secretary", "Trustee", "Past President"]
CHAPTER_ROLES = ["Chapter chair", "Chapter secretary", "Chapter treasurer"]
EVENTS = [
    "Annual Congress 2026",
    "Night of the Lights 2026",
    "Lens Grinding Workshop",
    "Harbour Day 2026",
    "Keepers' Supper",
    "Fog Signal Symposium",
    "Young Keepers' Weekend",
    "Annual Congress 2025",
]
OPT_OUT_CATEGORIES = [f"6faf90e4-00d2-c001-8a01-0b3c0d5e11{n:02x}" for n in range(1, 5)]
ORGANIZATION_WORDS = [
    "Lightship",
    "Lantern",
    "Beacon",
    "Headland",
    "Skerry",
    "Breakwater",
    "Fresnel",
    "Foghorn",
    "Quayside",
    "Pilot",
]
ORGANIZATION_KINDS = [
    "Trust",
    "Museum",
    "& Sons Ltd",
    "Foundation",
    "Institute",
    "Society",
    "Glassworks",
    "Harbour Board",
]
