using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Metadata;

/// <summary>A configuration directory of its own, and the tables in it, which can be opened again.</summary>
internal sealed class BrokerDirectory : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("graymq-metadata-").FullName;
    private MetadataStore? _store;
    private ConsumerOffsetTable? _offsets;

    public TopicOptions TopicOptions { get; set; } = new() { BrokerClusterName = "DefaultCluster", BrokerName = "broker-a" };

    public GroupOptions GroupOptions { get; set; } = new();

    public OffsetOptions OffsetOptions { get; set; } = new();

    public ManualTime Time { get; } = new();

    public string Config => Path.Combine(_root, "config");

    public MetadataStore Store => _store ??= MetadataStore.Open(Directory.CreateDirectory(Config).FullName, NullLoggerFactory.Instance);

    public static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Metadata", "Golden", name);

    public TopicTable OpenTopics() => TopicTable.Open(Store, TopicOptions, Time, NullLoggerFactory.Instance);

    public SubscriptionGroupTable OpenGroups() =>
        SubscriptionGroupTable.Open(Store, GroupOptions, Time, NullLoggerFactory.Instance);

    public ConsumerOffsetTable OpenOffsets() =>
        _offsets = ConsumerOffsetTable.Open(Store, OffsetOptions, Time, NullLoggerFactory.Instance);

    public RequestModeTable OpenRequestModes() => RequestModeTable.Open(Store, NullLoggerFactory.Instance);

    public RocketMqExport OpenExport() => new(Store, OpenTopics(), OpenGroups(), OpenOffsets(), OpenRequestModes(), NullLoggerFactory.Instance);

    /// <summary>Copies a file of the golden store into the configuration directory.</summary>
    public void TakeGolden(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            File.Copy(Golden(name), Write(name, ""), overwrite: true);
        }
    }

    public string Write(string name, string contents)
    {
        string path = Path.Combine(Directory.CreateDirectory(Config).FullName, name);
        File.WriteAllText(path, contents);
        return path;
    }

    /// <summary>Closes what is open: cleanly, or as the end of the process does, with nothing of the offsets written any more.</summary>
    public void Close(bool cleanly = true)
    {
        if (cleanly)
        {
            _offsets?.Dispose();
        }

        _store?.Dispose();
        _offsets = null;
        _store = null;
    }

    public void Dispose()
    {
        Close();
        Directory.Delete(_root, recursive: true);
    }
}
