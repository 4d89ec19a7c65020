using System.Globalization;
using System.Text;
using GrayMQ.Filtering;

namespace GrayMQ.Micro.Filtering;

/// <summary>
/// Subscriptions and messages of a trade cluster, from a seed: 4,000 message types whose frequencies follow Zipf's law, and 1 to 6
/// conditions each. How many buyers there are says how many subscriptions a message matches.
/// </summary>
internal sealed class Workload
{
    private const int MessageTypes = 4000;
    private static readonly string[] Regions = ["cn-east", "cn-north", "cn-south", "cn-west", "eu", "us", "sg", "jp"];
    private static readonly string[] Channels = ["app", "web", "mini", "shop", "call"];

    private readonly Random _random;
    private readonly double[] _cumulative = new double[MessageTypes];
    private readonly int _buyers;

    public Workload(int seed, int buyers)
    {
        _random = new Random(seed);
        _buyers = buyers;
        double total = 0;
        for (int i = 0; i < MessageTypes; i++)
        {
            _cumulative[i] = total += 1.0 / (i + 1);
        }
    }

    public string Expression()
    {
        int count = _random.Next(1, 7);
        if (count == 1)
        {
            return $"buyerId == {Buyer()}";
        }

        List<string> conditions = [$"messageType == '{MessageType()}'", $"buyerId == {Buyer()}"];
        string[] more =
        [
            $"amount > {_random.Next(0, 3000)}",
            $"amount <= {_random.Next(7000, 10000)}",
            $"channel != '{Channels[_random.Next(Channels.Length)]}'",
            $"(region == '{Regions[_random.Next(4)]}' || region != '{Regions[_random.Next(Regions.Length)]}')",
            $"string.startsWith(region, '{(_random.Next(4) == 0 ? "eu" : "")}')",
            $"vip != {_random.Next(5, 10)}",
        ];
        _random.Shuffle(more);
        conditions.AddRange(more.Take(count - 2));
        return string.Join(" && ", conditions);
    }

    /// <summary>The properties of a message, with those that every message has.</summary>
    public byte[] Message() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"UNIQ_KEY\u0001C00002026FE05FFD2B276B700ED{_random.Next(100000):D5}\u0002CLUSTER\u0001DefaultCluster\u0002WAIT\u0001true\u0002"
        + $"TAGS\u0001trade\u0002KEYS\u0001order-{_random.Next(1000000)}\u0002messageType\u0001{MessageType()}\u0002"
        + $"buyerId\u0001{Buyer()}\u0002amount\u0001{_random.Next(10000)}.{_random.Next(100):D2}\u0002"
        + $"region\u0001{Regions[_random.Next(Regions.Length)]}\u0002channel\u0001{Channels[_random.Next(Channels.Length)]}\u0002"
        + $"vip\u0001{_random.Next(10)}\u0002"));

    public FilterExpression[] Subscriptions(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => FilterExpression.Parse(FilterLanguage.Header, Expression()))];

    private int Buyer() => 100000 + _random.Next(_buyers);

    private string MessageType()
    {
        int at = Array.BinarySearch(_cumulative, _random.NextDouble() * _cumulative[^1]);
        return string.Create(CultureInfo.InvariantCulture, $"200-trade-{(at < 0 ? ~at : at):D4}-done");
    }
}
