using System.Buffers;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Metadata;

/// <summary>The requests about topics, groups and offsets behind a real server, with a real store.</summary>
internal sealed class MetadataBroker : IAsyncDisposable
{
    public const string BrokerName = "broker-a";

    private static readonly MessageHost Host = MessageHost.FromV4(0x7F000001, 10911);

    private readonly List<Peer> _peers = [];
    private TestServer? _server;

    private MetadataBroker(BrokerDirectory directory)
    {
        Directory = directory;
        Topics = directory.OpenTopics();
        Groups = directory.OpenGroups();
        Offsets = directory.OpenOffsets();
        Consumers = new ConsumerTable(ClientLimits.Default, directory.Time, NullLogger<ConsumerTable>.Instance);
        Store = MessageStore.Open(
            new StoreOptions
            {
                RootDirectory = Path.Combine(directory.Config, "..", "store"),
                CommitLogFileBytes = 64 * 1024,
                ConsumeQueueFileBytes = 50 * ConsumeQueueEntry.Bytes,
                MaxHashSlots = 500,
                MaxIndexEntries = 2_000,
                MaxMessageBytes = 32 * 1024,
                FlushDiskType = FlushDiskType.AsyncFlush,
                DiskMaxUsedSpaceRatio = 100,
                DiskSpaceCleanForciblyRatio = 100,
                DiskSpaceWarningLevelRatio = 100,
            },
            LinuxFileSystem.Instance,
            directory.Time,
            NullLoggerFactory.Instance,
            new NoListener());
        Store.Start();
    }

    public BrokerDirectory Directory { get; }

    public TopicTable Topics { get; }

    public SubscriptionGroupTable Groups { get; }

    public ConsumerOffsetTable Offsets { get; }

    public ConsumerTable Consumers { get; }

    public MessageStore Store { get; }

    /// <summary>A client of this broker.</summary>
    public Peer Client => field ??= Connect("client");

    public static async Task<MetadataBroker> StartAsync(Action<BrokerDirectory>? prepare = null)
    {
        var directory = new BrokerDirectory();
        prepare?.Invoke(directory);
        var broker = new MetadataBroker(directory);
        await broker.ServeAsync();
        return broker;
    }

    public Peer Connect(string id, Action<RequestTable>? answers = null)
    {
        var peer = new Peer(_server!.Address, id, answers);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Stores messages in a queue and waits until they can be read.</summary>
    public async Task AppendAsync(string topic, int queueId, int count)
    {
        LogicQueue queue = Store.GetQueue(topic, queueId);
        long expected = Store.NextQueueOffset(queue) + count;
        for (int i = 0; i < count; i++)
        {
            AppendResult result = Store.Append(queue, new MessageAppend
            {
                Body = new ReadOnlySequence<byte>("body"u8.ToArray()),
                BornTimestampMs = Directory.Time.NowMs,
                BornHost = Host,
                StoreHost = Host,
            });
            Assert.Equal(AppendStatus.Ok, result.Status);
        }

        await Eventually.TrueAsync(() => queue.MaxOffset == expected, $"{queue} is to reach {expected}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Peer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        await _server!.DisposeAsync();
        await Store.DisposeAsync();
        Directory.Dispose();
    }

    private async Task ServeAsync()
    {
        var topics = new TopicHandler(Directory.TopicOptions, Topics, Offsets, Store, new NoNameServers(), _ => null);
        var groups = new SubscriptionGroupHandler(Groups, Offsets);
        var offsets = new ConsumerOffsetHandler(
            Topics, Groups, Offsets, new ClientCommits(Topics, Offsets), Store, new GrayTable(), NullLogger<ConsumerOffsetHandler>.Instance);
        var offsetAdmin = new OffsetAdminHandler("127.0.0.1:10911", Topics, Consumers, Offsets, Store);
        var reset = new ResetOffsetHandler(
            BrokerName, Directory.OffsetOptions, Topics, Groups, Consumers, Offsets, Store, NullLogger<ResetOffsetHandler>.Instance);
        var export = new ExportHandler(
            new RocketMqExport(Directory.Store, Topics, Groups, Offsets, Directory.OpenRequestModes(), NullLoggerFactory.Instance));
        var heartbeats = new HeartbeatHandler(
            Consumers,
            new ProducerTable(ClientLimits.Default, Directory.Time, NullLogger<ProducerTable>.Instance),
            Groups,
            Topics,
            new BrokerLifecycle(Directory.Time, NullLogger<BrokerLifecycle>.Instance),
            ClientLimits.Default);
        _server = await TestServer.StartAsync(new RequestTable()
            .On<NoHeader>(RequestCode.Heartbeat, heartbeats.HeartbeatAsync)
            .OnPool<CreateTopicHeader>(RequestCode.UpdateAndCreateTopic, topics.PutAsync)
            .OnPool<NoHeader>(RequestCode.UpdateAndCreateTopicList, topics.PutListAsync)
            .OnPool<NoHeader>(RequestCode.GetAllTopicConfig, topics.GetAllAsync)
            .OnPool<TopicHeader>(RequestCode.DeleteTopicInBroker, topics.DeleteAsync)
            .OnPool<NoHeader>(RequestCode.GetSystemTopicListFromBroker, topics.GetSystemTopicsAsync)
            .OnPool<TopicHeader>(RequestCode.GetTopicConfig, topics.GetAsync)
            .OnPool<NoHeader>(RequestCode.UpdateAndCreateSubscriptionGroup, groups.PutAsync)
            .OnPool<NoHeader>(RequestCode.UpdateAndCreateSubscriptionGroupList, groups.PutListAsync)
            .OnPool<NoHeader>(RequestCode.GetAllSubscriptionGroupConfig, groups.GetAllAsync)
            .OnPool<DeleteSubscriptionGroupHeader>(RequestCode.DeleteSubscriptionGroup, groups.DeleteAsync)
            .OnPool<GroupHeader>(RequestCode.GetSubscriptionGroupConfig, groups.GetAsync)
            .OnPool<UpdateGroupForbiddenHeader>(RequestCode.UpdateAndGetGroupForbidden, groups.ForbidAsync)
            .On<QueryConsumerOffsetHeader>(RequestCode.QueryConsumerOffset, offsets.QueryAsync)
            .On<UpdateConsumerOffsetHeader>(RequestCode.UpdateConsumerOffset, offsets.UpdateAsync)
            .OnPool<NoHeader>(RequestCode.GetAllConsumerOffset, offsetAdmin.GetAllAsync)
            .OnPool<GroupHeader>(RequestCode.QueryTopicsByConsumer, offsetAdmin.GetTopicsAsync)
            .OnPool<QueryCorrectionOffsetHeader>(RequestCode.QueryCorrectionOffset, offsetAdmin.CorrectAsync)
            .OnPool<CloneGroupOffsetHeader>(RequestCode.CloneGroupOffset, offsetAdmin.CloneAsync)
            .OnPool<ResetOffsetHeader>(RequestCode.InvokeBrokerToResetOffset, reset.HandleAsync)
            .OnPool<ExportConfigHeader>(RequestCode.ExportRocksDBConfigToJson, export.HandleAsync));
    }

    private sealed class NoListener : IArrivalListener
    {
        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
        }
    }

    private sealed class NoNameServers : ITopicAnnouncer
    {
        public Task AnnounceAsync(Action change)
        {
            change();
            return Task.CompletedTask;
        }
    }
}
