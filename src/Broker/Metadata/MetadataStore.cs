using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Metadata;

/// <summary>
/// Where topics, groups and consumer offsets are kept: RocksDB in <c>{storePathRootDir}/config/graymq.db</c>, beside RocketMQ's
/// own files.
/// <code>
/// family            key                 value
/// topics            topic               TopicConfig as JSON
/// groups            group               SubscriptionGroupConfig as JSON
/// groupForbidden    group               topic → bits, as JSON
/// consumerOffsets   topic@group         per queue 4 bytes queue id, 8 bytes offset, big endian
/// versions          table               DataVersion as JSON
/// requestModes      topic@group         SetMessageRequestModeRequestBody as JSON
/// configFiles       name of the file    hex SHA-256 of the contents that the database knows, separated by spaces
/// subscriptions     for the client tables
/// queueLocks        for the table of locks
/// filters           for the filter indexes
/// orderedTopics     topic               nothing: somebody counts on the order in its queues
/// </code>
/// </summary>
public sealed class MetadataStore : IDisposable
{
    /// <summary>Directory of the database within the configuration directory.</summary>
    public const string DirectoryName = "graymq.db";

    private const string CurrentFile = "CURRENT";

    private MetadataStore(string configDirectory, KeyValueStore values)
    {
        ConfigDirectory = configDirectory;
        Values = values;
        Topics = values.GetFamily("topics");
        Groups = values.GetFamily("groups");
        GroupForbidden = values.GetFamily("groupForbidden");
        ConsumerOffsets = values.GetFamily("consumerOffsets");
        Versions = values.GetFamily("versions");
        RequestModes = values.GetFamily("requestModes");
        ConfigFiles = values.GetFamily("configFiles");
        Subscriptions = values.GetFamily("subscriptions");
        QueueLocks = values.GetFamily("queueLocks");
        Filters = values.GetFamily("filters");
        OrderedTopics = values.GetFamily("orderedTopics");
    }

    /// <summary>RocketMQ's configuration directory.</summary>
    public string ConfigDirectory { get; }

    public KeyValueStore Values { get; }

    /// <summary>For the subscriptions that heartbeats tell.</summary>
    public KeyFamily Subscriptions { get; }

    /// <summary>For the queues that orderly consumers hold.</summary>
    public KeyFamily QueueLocks { get; }

    /// <summary>For the expressions that groups subscribe by.</summary>
    public KeyFamily Filters { get; }

    internal KeyFamily Topics { get; }

    internal KeyFamily OrderedTopics { get; }

    internal KeyFamily Groups { get; }

    internal KeyFamily GroupForbidden { get; }

    internal KeyFamily ConsumerOffsets { get; }

    internal KeyFamily Versions { get; }

    internal KeyFamily RequestModes { get; }

    internal KeyFamily ConfigFiles { get; }

    /// <summary>
    /// Opens the database, or makes one where there never was one, and takes over RocketMQ's files where they are new to it.
    /// </summary>
    /// <param name="configDirectory">RocketMQ's configuration directory, <c>{storePathRootDir}/config</c>.</param>
    /// <exception cref="MetadataException">
    /// One of RocketMQ's files cannot be read, or parts of a database are there but not what tells which.
    /// </exception>
    /// <exception cref="KeyValueStoreException">The database is damaged, open elsewhere, or not accessible.</exception>
    public static MetadataStore Open(string configDirectory, ILoggerFactory logs)
    {
        string path = Path.Combine(configDirectory, DirectoryName);
        RefuseRemains(path);
        var store = new MetadataStore(configDirectory, KeyValueStore.Open(
            path, "topics", "groups", "groupForbidden", "consumerOffsets", "versions", "configFiles", "subscriptions", "requestModes",
            "queueLocks", "filters", "orderedTopics"));
        try
        {
            new RocketMqImport(store, configDirectory, logs.CreateLogger<MetadataStore>()).Run();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public void Dispose() => Values.Dispose();

    /// <summary>The version under which a table was saved last, or null.</summary>
    internal DataVersion? ReadVersion(string table) =>
        Values.Get(Versions, Encoding.UTF8.GetBytes(table)) is { } json ? Decode<DataVersion>(Versions, Encoding.UTF8.GetBytes(table), json) : null;

    internal void PutVersion(KeyValueBatch batch, string table, DataVersion version) =>
        batch.Put(Versions, Encoding.UTF8.GetBytes(table), BodyCodec.Encode(version));

    /// <summary>Fingerprints of the contents of a configuration file that the database knows; null when it never looked.</summary>
    internal string[]? ReadFingerprints(string fileName) =>
        Values.Get(ConfigFiles, Encoding.UTF8.GetBytes(fileName)) is { } known ? Encoding.UTF8.GetString(known).Split(' ') : null;

    internal void PutFingerprints(KeyValueBatch batch, string fileName, params ReadOnlySpan<string> fingerprints) =>
        batch.Put(ConfigFiles, Encoding.UTF8.GetBytes(fileName), Encoding.UTF8.GetBytes(string.Join(' ', fingerprints)));

    internal void DeleteAll(KeyValueBatch batch, KeyFamily family)
    {
        foreach (KeyValueEntry entry in Values.Scan(family))
        {
            batch.Delete(family, entry.Key);
        }
    }

    /// <summary>Reads a value that is JSON.</summary>
    /// <exception cref="MetadataException">It is no such value.</exception>
    internal T Decode<T>(KeyFamily family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> json)
    {
        try
        {
            return BodyCodec.Decode<T>(json);
        }
        catch (BodyFormatException error)
        {
            throw Broken(family, key, error.Message, error);
        }
    }

    /// <summary>Says which value of the database is not what it should be.</summary>
    internal MetadataException Broken(KeyFamily family, ReadOnlySpan<byte> key, string reason, Exception? cause = null)
    {
        string message = $"{Values.Path}: {family.Name}/{Encoding.UTF8.GetString(key)} is broken: {reason}";
        return cause is null ? new MetadataException(message) : new MetadataException(message, cause);
    }

    // RocksDB makes a new database where CURRENT is missing, whatever else is there.
    private static void RefuseRemains(string path)
    {
        if (!Directory.Exists(path) || File.Exists(Path.Combine(path, CurrentFile)))
        {
            return;
        }

        string? remains = Directory.EnumerateFiles(path, "*.sst").FirstOrDefault()
            ?? Directory.EnumerateFiles(path, "*.log").FirstOrDefault(file => new FileInfo(file).Length > 0);
        if (remains is not null)
        {
            throw new MetadataException(
                $"{path}: the file {CurrentFile} is missing, though there is data ({Path.GetFileName(remains)}). "
                + "Restore the directory, or move it away to begin with RocketMQ's files or with nothing.");
        }
    }
}
