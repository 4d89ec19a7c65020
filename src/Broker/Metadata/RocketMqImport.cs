using System.Text;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Offsets;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Metadata;

/// <summary>
/// Takes over RocketMQ's <c>config/*.json</c> at the first start in its store directory, and again where a file has since been written
/// by someone else than <see cref="RocketMqExport"/>: then RocketMQ had the directory in between, and its file is the truth about
/// what it holds. Everything that is taken over goes into the database in one batch.
/// </summary>
internal sealed class RocketMqImport(MetadataStore store, string configDirectory, ILogger logger)
{
    private static readonly string[] NotTakenOver =
    [
        "consumerFilter.json", "delayOffset.json", "consumerOrderInfo.json", "topicQueueMapping.json", "timercheck", "timermetrics", "transactionMetrics",
    ];

    // Where RocketMQ keeps its metadata when it was told to use RocksDB, and which file that stands for.
    private static readonly (string Directory, string File)[] RocksDbForms =
    [
        ("topics", ConfigFile.Topics), ("subscriptionGroups", ConfigFile.SubscriptionGroups),
        ("consumerOffsets", ConfigFile.ConsumerOffsets), ("rdb", ConfigFile.Topics),
    ];

    // Told when it is done: until the batch is written, nothing has been taken over.
    private readonly List<Action> _tidings = [];

    /// <exception cref="MetadataException">A file cannot be read; nothing was taken over.</exception>
    public void Run()
    {
        bool first = !AnyKnown();
        if (first)
        {
            RefuseRocksDbForms();
        }

        using KeyValueBatch batch = store.Values.NewBatch();
        bool any = Take<TopicConfigSerializeWrapper>(batch, ConfigFile.Topics, PutTopics);
        any |= Take<SubscriptionGroupWrapper>(batch, ConfigFile.SubscriptionGroups, PutGroups);
        any |= Take<ConsumerOffsetSerializeWrapper>(batch, ConfigFile.ConsumerOffsets, PutOffsets);
        any |= Take<MessageRequestModeSerializeWrapper>(batch, ConfigFile.RequestModes, PutRequestModes);
        if (batch.Count > 0)
        {
            store.Values.Write(batch, sync: true);
        }

        _tidings.ForEach(tell => tell());
        string[] left = [.. NotTakenOver.Where(name => File.Exists(Path.Combine(configDirectory, name)))];
        if (any && left.Length > 0)
        {
            Log.ConfigFilesLeftAlone(logger, configDirectory, string.Join(", ", left));
        }
    }

    private bool Take<T>(KeyValueBatch batch, string name, Func<KeyValueBatch, ConfigFile, T, int> put)
        where T : class
    {
        var file = new ConfigFile(configDirectory, name);
        string fingerprint = file.Fingerprint();
        string[]? known = store.ReadFingerprints(name);
        if (known is not null && (fingerprint == ConfigFile.Absent || known.Contains(fingerprint)))
        {
            return false;
        }

        T? contents = file.Read<T>(logger);
        store.PutFingerprints(batch, name, fingerprint);
        if (contents is null)
        {
            return false;
        }

        int count = put(batch, file, contents);
        if (known is null)
        {
            _tidings.Add(() => Log.ConfigFileTakenOver(logger, file.Path, count));
        }
        else
        {
            _tidings.Add(() => Log.ConfigFileTakenOverAgain(logger, file.Path, count));
        }

        return true;
    }

    private int PutTopics(KeyValueBatch batch, ConfigFile file, TopicConfigSerializeWrapper contents)
    {
        store.DeleteAll(batch, store.Topics);
        foreach ((string name, TopicConfig config) in contents.TopicConfigTable)
        {
            if (config.TopicName != name)
            {
                throw new MetadataException($"{file.Path}: topicConfigTable/{name} is named {config.TopicName}");
            }

            batch.Put(store.Topics, Encoding.UTF8.GetBytes(name), BodyCodec.Encode(config));
        }

        store.PutVersion(batch, Broker.Topics.TopicTable.VersionName, contents.DataVersion);
        return contents.TopicConfigTable.Count;
    }

    private int PutGroups(KeyValueBatch batch, ConfigFile file, SubscriptionGroupWrapper contents)
    {
        store.DeleteAll(batch, store.Groups);
        store.DeleteAll(batch, store.GroupForbidden);
        foreach ((string name, SubscriptionGroupConfig config) in contents.SubscriptionGroupTable)
        {
            if (config.GroupName != name)
            {
                throw new MetadataException($"{file.Path}: subscriptionGroupTable/{name} is named {config.GroupName}");
            }

            batch.Put(store.Groups, Encoding.UTF8.GetBytes(name), BodyCodec.Encode(config));
        }

        foreach ((string group, Dictionary<string, int> topics) in contents.ForbiddenTable)
        {
            batch.Put(store.GroupForbidden, Encoding.UTF8.GetBytes(group), BodyCodec.Encode(topics));
        }

        store.PutVersion(batch, Broker.Groups.SubscriptionGroupTable.VersionName, contents.DataVersion);
        return contents.SubscriptionGroupTable.Count;
    }

    private int PutOffsets(KeyValueBatch batch, ConfigFile file, ConsumerOffsetSerializeWrapper contents)
    {
        store.DeleteAll(batch, store.ConsumerOffsets);
        byte[] value = [];
        foreach ((string key, Dictionary<int, long> queues) in contents.OffsetTable)
        {
            if (!GroupTopic.TryParse(key, out GroupTopic name))
            {
                throw new MetadataException($"{file.Path}: offsetTable/{key} is not topic@group");
            }

            var offsets = new ConsumerOffsets(name);
            foreach ((int queueId, long offset) in queues)
            {
                // RocketMQ keeps what a client says, also -1 from one that knows nothing yet.
                if (offset >= 0 && (queueId is < 0 or >= OffsetOptions.MaxQueues))
                {
                    throw new MetadataException($"{file.Path}: offsetTable/{key} has an offset for queue {queueId}");
                }
            }

            offsets.TryReplace(queues.Where(pair => pair.Value >= 0).ToDictionary(), out _);
            offsets.TryEncode(ref value, out int length, out _);
            batch.Put(store.ConsumerOffsets, offsets.Key, value.AsSpan(0, length));
        }

        store.PutVersion(batch, ConsumerOffsetTable.VersionName, contents.DataVersion);
        return contents.OffsetTable.Count;
    }

    private int PutRequestModes(KeyValueBatch batch, ConfigFile file, MessageRequestModeSerializeWrapper contents)
    {
        store.DeleteAll(batch, store.RequestModes);
        int count = 0;
        foreach ((string topic, Dictionary<string, SetMessageRequestModeRequestBody> groups) in contents.MessageRequestModeMap)
        {
            foreach ((string group, SetMessageRequestModeRequestBody mode) in groups)
            {
                if (mode.Topic != topic || mode.ConsumerGroup != group)
                {
                    throw new MetadataException(
                        $"{file.Path}: messageRequestModeMap/{topic}/{group} is of {new GroupTopic(mode.ConsumerGroup, mode.Topic)}");
                }

                batch.Put(store.RequestModes, RequestModeTable.KeyOf(new GroupTopic(group, topic)), BodyCodec.Encode(mode));
                count++;
            }
        }

        return count;
    }

    private bool AnyKnown() =>
        new[] { ConfigFile.Topics, ConfigFile.SubscriptionGroups, ConfigFile.ConsumerOffsets }
            .Any(name => store.ReadFingerprints(name) is not null);

    private void RefuseRocksDbForms()
    {
        foreach ((string directory, string name) in RocksDbForms)
        {
            string path = Path.Combine(configDirectory, directory);
            if (File.Exists(Path.Combine(path, "CURRENT")) && !File.Exists(Path.Combine(configDirectory, name)))
            {
                throw new MetadataException(
                    $"{path} holds RocketMQ's metadata in RocksDB, and there is no {name} beside it. Let RocketMQ write its JSON files "
                    + "first (mqadmin rocksDBConfigToJson), or move the directory away to begin without what it holds.");
            }
        }
    }
}
