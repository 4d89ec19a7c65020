namespace GrayMQ.Chaos.Gray;

/// <summary>What a version of the service subscribes to: the two shapes differ by topics, gray and not, and by tags.</summary>
/// <param name="Subscriptions">Tag expressions by topic.</param>
internal sealed record Shape(string Name, IReadOnlyDictionary<string, string> Subscriptions)
{
    /// <summary>A gray topic of both, of which one takes two tags and the other three.</summary>
    public const string Orders = "SoakOrders";

    /// <summary>A gray topic of the large shape alone.</summary>
    public const string Parcels = "SoakParcels";

    /// <summary>A topic of both that is never gray.</summary>
    public const string Ledger = "SoakLedger";

    /// <summary>A topic of the large shape alone that is never gray.</summary>
    public const string Invoices = "SoakInvoices";

    public static IReadOnlyList<string> Topics { get; } = [Orders, Parcels, Ledger, Invoices];

    /// <summary>Those that are switched on and off.</summary>
    public static IReadOnlyList<string> GrayTopics { get; } = [Orders, Parcels];

    public static IReadOnlyList<string> Tags { get; } = ["A", "B", "C"];

    public static Shape Small { get; } = new("small", new Dictionary<string, string>
    {
        [Orders] = "A || B",
        [Ledger] = "*",
    });

    public static Shape Large { get; } = new("large", new Dictionary<string, string>
    {
        [Orders] = "A || B || C",
        [Parcels] = "*",
        [Ledger] = "*",
        [Invoices] = "*",
    });

    public Shape Other => this == Small ? Large : Small;

    public static Shape Of(string name) => name == Small.Name ? Small : Large;

    public bool Subscribes(string topic) => Subscriptions.ContainsKey(topic);

    public bool Takes(string topic, string tag) => Subscriptions.TryGetValue(topic, out string? tags)
        && (tags == "*" || tags.Split(" || ").Contains(tag));
}
