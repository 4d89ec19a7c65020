using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Registration;

/// <summary>Who makes a topic finds it in the routes once it is answered.</summary>
public sealed class AnnouncementTests : IDisposable
{
    // For what is not to come: on a machine that is slower, it would only be found out more seldom.
    private static readonly TimeSpan LongEnough = TimeSpan.FromMilliseconds(200);

    private readonly BrokerDirectory _directory = new();
    private readonly TaskCompletionSource _mayAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _holdsBack;
    private volatile string[] _known = [];
    private int _registrations;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Announce_NameServerAnswersLate_CompletesOnceItKnows()
    {
        TopicTable topics = _directory.OpenTopics();
        await using TestServer nameServer = await ServeAsync();
        await using RemotingClient client = NewClient();
        await using NameServerRegistration registration = NewRegistration(nameServer.Address, topics, client);
        await registration.StartAsync(CancellationToken.None);
        _holdsBack = true;

        Task announced = registration.AnnounceAsync(() => topics.Put(new TopicConfig { TopicName = "made" }));
        await Eventually.TrueAsync(() => _known.Contains("made"), "the registration is to come");
        Assert.False(announced.IsCompleted);

        _mayAnswer.SetResult();
        await announced;
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_SeveralTopicsOneAfterTheOther_RegistersOnceForAll()
    {
        TopicTable topics = _directory.OpenTopics();
        await using TestServer nameServer = await ServeAsync();
        await using RemotingClient client = NewClient();
        await using NameServerRegistration registration = NewRegistration(nameServer.Address, topics, client);
        await registration.StartAsync(CancellationToken.None);
        int atStart = Volatile.Read(ref _registrations);

        await registration.AnnounceAsync(() =>
        {
            topics.Put(new TopicConfig { TopicName = "made" });
            SpinWait.SpinUntil(() => Volatile.Read(ref _registrations) > atStart, LongEnough);
            topics.Put(new TopicConfig { TopicName = "made-too" });
        });

        Assert.Contains("made-too", _known);
        Assert.Equal(1, Volatile.Read(ref _registrations) - atStart);
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_AChangeThatFails_TellsWhatIsChangedAllTheSame()
    {
        TopicTable topics = _directory.OpenTopics();
        await using TestServer nameServer = await ServeAsync();
        await using RemotingClient client = NewClient();
        await using NameServerRegistration registration = NewRegistration(nameServer.Address, topics, client);
        await registration.StartAsync(CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => registration.AnnounceAsync(() =>
        {
            topics.Put(new TopicConfig { TopicName = "made" });
            throw new InvalidOperationException("the second one is not made");
        }));

        await Eventually.TrueAsync(() => _known.Contains("made"), "the registration is to come");
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_NameServerHangs_CompletesAllTheSame()
    {
        TopicTable topics = _directory.OpenTopics();
        await using TestServer nameServer = await ServeAsync();
        await using RemotingClient client = NewClient();
        await using NameServerRegistration registration = NewRegistration(nameServer.Address, topics, client);
        await registration.StartAsync(CancellationToken.None);
        _holdsBack = true;

        Task announced = registration.AnnounceAsync(() => topics.Put(new TopicConfig { TopicName = "made" }));
        await Eventually.TrueAsync(() => _known.Contains("made"), "the registration is to come");
        _directory.Time.Advance(TimeSpan.FromSeconds(3));
        await announced;

        Assert.NotNull(topics.Find("made"));
        _mayAnswer.SetResult();
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_NotRegistered_ChangesAtOnce()
    {
        TopicTable topics = _directory.OpenTopics();
        await using RemotingClient client = NewClient();
        await using NameServerRegistration registration = NewRegistration("127.0.0.1:1", topics, client);

        await registration.AnnounceAsync(() => topics.Put(new TopicConfig { TopicName = "made" }));

        Assert.NotNull(topics.Find("made"));
    }

    private Task<TestServer> ServeAsync() => TestServer.StartAsync(new RequestTable()
        .On<RegisterBrokerHeader>(RequestCode.RegisterBroker, async (request, header) =>
        {
            Interlocked.Increment(ref _registrations);
            byte[] answer = BodyCodec.Encode(new KVTable());
            _known = [.. RegisterBrokerBodyCodec.Decode(request.Body, header.Compressed, request.Version)
                .TopicConfigSerializeWrapper.TopicConfigTable.Keys];
            if (_holdsBack)
            {
                await _mayAnswer.Task;
            }

            request.Reply(answer);
        })
        .On<UnregisterBrokerHeader>(RequestCode.UnregisterBroker, (request, _) =>
        {
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        }));

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private NameServerRegistration NewRegistration(string nameServer, TopicTable topics, RemotingClient client) => new(
        OrderedTopicsTests.Options(nameServer), topics, new RouteView(new NarrowRules(topics, new GrayTable()), _directory.Time), client, _directory.Time, NullLogger<NameServerRegistration>.Instance);
}
