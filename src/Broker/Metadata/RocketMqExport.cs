using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Metadata;

/// <summary>
/// Writes topics, groups, consumer offsets and request modes to RocketMQ's <c>config/*.json</c>, so that RocketMQ can be started on the store
/// directory: at a clean stop, and when an administrator asks for it.
/// </summary>
public sealed class RocketMqExport(
    MetadataStore store,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerOffsetTable offsets,
    RequestModeTable requestModes,
    ILoggerFactory logs)
{
    private readonly ILogger _logger = logs.CreateLogger<RocketMqExport>();
    private readonly Lock _writes = new();

    /// <summary>Writes all files.</summary>
    /// <exception cref="IOException">A file cannot be written; it is then as it was.</exception>
    public void Write()
    {
        WriteTopics();
        WriteGroups();
        WriteOffsets();
        WriteRequestModes();
    }

    public void WriteTopics() => Write(ConfigFile.Topics, BodyCodec.Encode(topics.ToWrapper()));

    public void WriteGroups() => Write(ConfigFile.SubscriptionGroups, BodyCodec.Encode(groups.ToWrapper()));

    public void WriteOffsets() => Write(ConfigFile.ConsumerOffsets, BodyCodec.Encode(offsets.ToWrapper()));

    public void WriteRequestModes() => Write(ConfigFile.RequestModes, BodyCodec.Encode(requestModes.ToWrapper()));

    private void Write(string name, byte[] json)
    {
        byte[] contents = IndentedJson.Format(json);
        var file = new ConfigFile(store.ConfigDirectory, name);
        lock (_writes)
        {
            // Known before it is there: a file that this broker wrote is never taken for RocketMQ's, however this ends.
            using (KeyValueBatch batch = store.Values.NewBatch())
            {
                store.PutFingerprints(batch, name, file.Fingerprint(), ConfigFile.FingerprintOf(contents));
                store.Values.Write(batch, sync: true);
            }

            file.Write(contents);
        }

        Log.ConfigFileWritten(_logger, file.Path, contents.Length);
    }
}
