using System.Net;
using System.Text;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Settings;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Popping;

/// <summary>A broker's state and what pops of it, without the requests: for what no request can bring about at will.</summary>
internal sealed class PopParts : IAsyncDisposable
{
    private static readonly IPEndPoint Address = new(IPAddress.Loopback, 10911);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("graymq-pop-");

    public PopParts()
    {
        EffectiveSettings settings = BrokerSettings.Catalogue
            .Load(new SettingsSources()
                .Set("brokerIP1=127.0.0.1")
                .Set($"storePathRootDir={_folder.FullName}")
                .Set("mappedFileSizeCommitLog=1048576")
                .Set("flushDiskType=ASYNC_FLUSH"))
            .GetOrThrow();
        var running = new RunningSettings(settings, TimeProvider.System, NullLogger<RunningSettings>.Instance);
        State = new BrokerState(
            settings,
            Address,
            () => false,
            TransactionSettings.ToOptions(settings, running, Address),
            TimeProvider.System,
            NullLoggerFactory.Instance,
            LinuxFileSystem.Instance,
            null);
        State.Messages.Start();
        Options = PopSettings.Options(settings, running, Address);
        Offsets = new PopOffsets(Options, State.Offsets, State.Messages, State.Pops.CheckPoints);
        var queues = new PoppableQueues(
            Options, State.Topics, State.Groups, State.Messages, State.Pops.CheckPoints, Offsets, State.Gray, TimeProvider.System);
        Popper = new QueuePopper(
            Options,
            queues,
            Offsets,
            State.Messages,
            State.Pops.CheckPoints,
            State.Statistics,
            State.Gray,
            TimeProvider.System,
            NullLogger<QueuePopper>.Instance);
    }

    public BrokerState State { get; }

    public PopOptions Options { get; }

    public PopOffsets Offsets { get; }

    public QueuePopper Popper { get; }

    /// <summary>Creates a topic of one queue.</summary>
    public Topic CreateTopic(string name)
    {
        State.Topics.Put(new TopicConfig { TopicName = name, ReadQueueNums = 1, WriteQueueNums = 1, Perm = 6 });
        return State.Topics.Find(name)!;
    }

    public void CreateGroup(string name) => State.Groups.Put([new SubscriptionGroupConfig { GroupName = name }]);

    /// <summary>Deletes a topic as the request does.</summary>
    public void DeleteTopic(string name)
    {
        State.Topics.Delete(name);
        State.Offsets.RemoveTopic(name);
        State.Messages.DeleteTopic(name);
    }

    /// <summary>Stores messages in a topic's queue and waits until they can be read.</summary>
    public async Task StoreAsync(Topic topic, params string[] bodies)
    {
        LogicQueue queue = State.Messages.GetQueue(topic.NameUtf8.Span, 0);
        long end = queue.MaxOffset + bodies.Length;
        foreach (string body in bodies)
        {
            Append(topic, body);
        }

        await Eventually.TrueAsync(() => queue.MaxOffset == end, "the messages are readable");
    }

    /// <summary>What a pop on its way holds.</summary>
    public Pop Pop(Topic topic, string group, bool order = false) => new(
        default,
        State.Pops.Targets.Get(group, Encoding.UTF8.GetBytes(group), topic),
        QueueId: -1,
        MaxMessages: 32,
        InvisibleMs: 60_000,
        InitMode: 0,
        Filter: null,
        order,
        AttemptId: default,
        DeadlineMs: 0,
        IsNotification: false);

    /// <summary>Pops, and tells the bodies.</summary>
    public string[] Take(in Pop pop)
    {
        var work = new PopWork();
        Popper.Take(in pop, work);
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        work.WriteTo(output);
        work.Clear();
        return [.. MessageDecoder.DecodeAll(output.WrittenMemory.ToArray()).Select(message => Encoding.UTF8.GetString(message.Body.Span))];
    }

    public async ValueTask DisposeAsync()
    {
        await State.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private void Append(Topic topic, string body)
    {
        AppendResult result = State.Intake.Append(topic, 0, new MessageAppend
        {
            Body = new MessageBody(Encoding.UTF8.GetBytes(body)),
            StoreHost = State.Intake.StoreHost,
            BornHost = State.Intake.StoreHost,
        });
        Assert.True(result.IsOk, $"{result.Status}");
    }
}
