"""The built-in words that texts are composed of. Data only; `texts.py` deals them out to splits."""

NOUNS = """
account agenda album answer archive arrow article asset audience backup balance banner basket battery beacon bench
bicycle blanket board border bottle branch bridge broker bucket budget buffer builder button cabin cable calendar camera
campaign canal candle canvas cargo carrier castle catalogue ceiling cellar channel chapter charger chart cheque circuit
client clinic cloud coast collection column comment commit committee company concert container contract corner council
counter courier course cousin crater creek crew crystal customer cycle dashboard deadline dealer decade delivery desert
design device diagram digest dinner director discount display district doctor document draft drawer driver editor
effort elevator engine entry episode estimate evening event exhibit expert export factory feature festival fibre field
figure filter finding fleet flight folder forecast forest format fountain frame freight gallery garden gateway glacier
guest guide habit hallway handle harbour harvest header helmet highway history holiday horizon hospital hotel idea
index insight interview invoice island issue item journal journey kernel kettle keyboard kitchen ladder lantern lawyer
layer leader lecture ledger lesson letter library licence limit link list loader locker magazine manager manual margin
market meadow measure meeting member memory menu message meter method mirror mission model module moment monitor morning
mountain museum needle network neighbour notebook notice object ocean office opinion orbit orchard orchestra order
output owner packet page painter palace panel paper parcel parent partner passage passport patch path pattern payment
pencil permit phone picture pillow pilot pipeline planet platform player pocket poem policy portal poster printer
problem process product profile programme project prompt protocol province puzzle quarter query question queue quota
railway rain reader reason receipt recipe record refund region release remark renewal repair report request researcher
reservoir resource response result review reward rider ridge river robot roof rotor route saddle sailor salary sample
scanner scene schedule school scooter screen script season section sensor server session shadow shelter ship
shoulder signal silence sketch society speaker spring square stage statue storm story stranger street student studio
subject suburb summary summit supplier surface survey switch symbol system tablet target teacher temple tenant terminal
theatre theory ticket timber timeline tool tower track traffic trail transfer traveller treaty tunnel tutor update
upgrade valley vendor version victory village vineyard violin visitor volume voucher waiter wallet warehouse water
weather website weekend widget window winter witness workshop writer
"""

VERBS = """
accept adjust admire adopt advise affect alter analyse announce answer approach approve arrange ask assemble assign
attach attend audit balance block borrow calculate call cancel carry change charge check claim clean clear climb
collect combine compare complete confirm connect consider copy correct count cover create cross deliver demand describe
design detect develop discover discuss display divide download earn edit employ enable enjoy enter estimate examine
expand expect explain explore export extend fetch file finish follow format gather generate guard guide handle harvest
imagine import improve include increase inform inspect install introduce invite join judge label launch link list load
lower manage mark match measure mention merge monitor move name notice observe obtain offer open order organise pack
paint park pause perform place plan polish praise prepare present preserve print process produce promise protect prove
publish push question raise reach receive recover reduce refresh refuse register release remember remove rename repair
repeat replace report request rescue resize resolve restore retain return reveal review rotate save scan schedule search
select separate serve share shift show signal sign sort start store study submit suggest supply support survey switch
test trace track train transfer translate trust update upload use validate value verify view visit warn watch welcome
"""

ADJECTIVES = """
active ancient annual automatic blue brief bright broad busy calm careful central cheap clean clear clever coastal cold
common complete complex constant cool correct crowded daily damp dark deep delicate direct distant double dry early
eastern easy electric empty endless exact extra fair familiar famous fast final fine firm flat fresh friendly full
gentle global golden grand grateful green grey half happy hard heavy hidden high honest hourly huge ideal idle important
informal inner internal joint keen large last late lazy lean legal light likely local long loose loud lower lucky main
major manual massive mature mild minor missing mobile modern modest monthly narrow native natural neat new noisy normal
northern novel obvious odd official old open optional orange ordinary original outer partial patient plain polite
popular portable possible precise private proper public pure quick quiet random rapid rare raw ready recent red regular
reliable remote rich rough round rural safe scarce scenic secret secure senior separate serious shallow sharp short
silent silver simple single slight slow small smart smooth social soft solid southern spare special stable steady steep
strange strict strong sudden sunny sweet swift tall temporary thin tidy tight tiny total tough typical unique upper
urban urgent useful usual valid vast visible vital vivid warm weekly western wide wild wise wooden young
"""

FIRST_NAMES = """
Ada Aisha Alan Alba Amir Ana Anders Anika Arjun Astrid Bela Bruno Carla Chen Clara Dana David Dilan Elena Elif Emeka
Emma Erik Esra Farah Felix Femi Finn Freya Gita Greta Hana Hassan Helga Hugo Ida Igor Ines Ivan Jana Jonas Jorge Julia
Kaito Karin Kenji Kofi Lars Leila Lena Leo Lin Lucia Luis Maja Marco Maria Marta Mei Mila Mina Nadia Nils Nina Noor
Olga Omar Oscar Pablo Paula Petra Priya Rafael Rana Ravi Rosa Ruth Samir Sara Selma Sofia Sven Tara Theo Tomas Uma Vera
Viktor Wanda Yara Yuki Zane Zoe
"""

SURNAMES = """
Adeyemi Almeida Andersen Aydin Bakker Banerjee Becker Berg Bianchi Brandt Castro Chandra Costa Dahl Delgado Diallo
Dubois Eriksen Farouk Fernandez Fischer Fontaine Garcia Gruber Haddad Hansen Hoffmann Ibrahim Ito Jansen Jensen Kaya
Keller Khan Kim Koch Kowalski Kumar Laurent Lehmann Lindgren Lopez Martins Mbeki Meyer Moreau Murphy Nakamura Nguyen
Nilsen Novak Okafor Oliveira Olsen Ortega Osei Park Patel Petrov Popov Quinn Ramos Rao Ricci Rossi Sato Schmidt Silva
Singh Sokolov Suzuki Tanaka Torres Ueda Vargas Vogel Walsh Weber Wong Yilmaz Young Zeman Zhang
"""

PLACES = """
Aalborg Accra Adelaide Almaty Amman Ankara Antwerp Arequipa Bari Basel Bergen Bilbao Bogota Brno Busan Cairo Cali
Calgary Cork Cusco Dakar Darwin Durban Essen Galway Gdansk Geneva Ghent Graz Haifa Hanoi Havana Hobart Izmir Jaipur
Kigali Kobe Kyoto Lagos Leeds Leipzig Lima Linz Lisbon Lodz Lusaka Lyon Malmo Manila Medellin Montreal Mumbai Nairobi
Nantes Naples Oaxaca Odense Osaka Ottawa Palermo Perth Porto Pune Quito Riga Rabat Salta Seoul Sofia Split Tampere
Tartu Toledo Toulouse Tromso Tunis Turin Utrecht Valencia Vienna Warsaw Wellington Zagreb Zurich
"""

OPENERS = """
In the end|By early spring|For most people|On a good day|After a long pause|At first sight|For the second year|According
to the committee|As of this week|Despite the noise|Until recently|In practice|Outside the city|Since the last release|
Later that evening|To nobody's surprise|Within a few months|In the old town|With some luck|Long before that|On paper|In
most offices|For reasons of cost|Two weeks ago|Against all advice|As a rule|In the meantime|At the second attempt|Far
from the coast|By all accounts|During the summer|As late as yesterday|Without much hurry|In the first half|Once a
year|On the other side|At the current pace|Under the new plan|Shortly after noon|For the time being|In a nearby
town|Before the vote|Apart from that|At short notice|In quiet years|Over the weekend|After the storm|In theory|From the
upper floor|Back in the workshop
"""

CHAT_LINES = """
Sounds good to me.|Thanks!|Can you send the {noun} again?|I am at the {noun} already.|Did you see the {adjective}
{noun}?|On my way, ten minutes.|We should {verb} the {noun} first.|Here is the {noun} from {place}.|Not today, maybe
tomorrow?|Who can {verb} the {adjective} {noun}?|Ha, that is great.|The {noun} looks {adjective} now.|I will {verb} it
tonight.|Let me check.|Perfect, see you at {hour}.|Do we need a new {noun} for {place}?|Yes.|No idea, ask {name}.|{name}
said the {noun} is {adjective}.|One moment please.|Look at this one!|Could you {verb} the {noun} before {hour}?|I like
the second {noun} more.|The {noun} in {place} was really {adjective}, we could {verb} another one next time.|Done.|Just
finished the {noun}.|Please {verb} the {noun} when you have a minute, it is not urgent.|Great picture!|Where was that?|
Same here.|Good morning!|Which {noun} do you mean?|Got it.|The {adjective} one, right?|Call me after {hour}.|{name} will
join us in {place}.|Is the {noun} still {adjective}?|I would rather {verb} than {verb}.|Fine by me.|Wait, there is a
second {noun}.|Nobody told me about the {noun}.|Oh no.|Are you there?|Still waiting for the {noun}.|Have a look at the
{noun} when you can.|See above.|That was quick!|Maybe the {adjective} {noun} instead?|We are in {place} until {hour}.|
Sorry, wrong {noun}.|Can {name} {verb} it?|I will be late, start without me.|How {adjective} was it?|Just a test.|So
what is the plan?|The {noun} arrives at {hour}.|Nice {noun}!|Agreed.|I left the {noun} on the {noun}.|Does anybody have
a {noun}?|Tell {name} I said hello.|Good night.|The link does not work for me.|Working on it.|{place} next week, who is
in?|It is {adjective} here today.|Any news about the {noun}?|Let us {verb} this tomorrow.|Love it!|Hm, not sure.|Never
mind, found it.|What time?|I sent {name} the {noun}.|Two more minutes.|Welcome back!|Happy birthday, {name}!|You were
right.
"""
