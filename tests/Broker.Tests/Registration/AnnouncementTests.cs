using GrayMQ.Broker.Lifecycle;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Registration;

/// <summary>Who makes a topic finds it in the routes once it is answered.</summary>
public sealed class AnnouncementTests : IAsyncLifetime
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    // For what is not to come: on a machine that is slower, it would only be found out more seldom.
    private static readonly TimeSpan LongEnough = TimeSpan.FromMilliseconds(200);

    private readonly RegistrationFixture _fixture = new();
    private readonly TaskCompletionSource _mayAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestNameServer _nameServer = null!;

    public async ValueTask InitializeAsync() => _nameServer = await TestNameServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _mayAnswer.TrySetResult();
        await _nameServer.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Announce_NameServerAnswersLate_CompletesOnceItKnows()
    {
        await using NameServerRegistration registration = _fixture.New(Period, _nameServer.Address);
        await registration.StartAsync(CancellationToken.None);
        _nameServer.BeforeAnswer = () => _mayAnswer.Task;

        Task announced = registration.AnnounceAsync(() => _fixture.Topics.Put(new TopicConfig { TopicName = "made" }));
        await Eventually.TrueAsync(() => _nameServer.Find("made") is not null, "the registration is to come");
        Assert.False(announced.IsCompleted);

        _mayAnswer.SetResult();
        await announced;
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_SeveralTopicsOneAfterTheOther_RegistersOnceForAll()
    {
        await using NameServerRegistration registration = _fixture.New(Period, _nameServer.Address);
        await registration.StartAsync(CancellationToken.None);
        int atStart = _nameServer.Registered;

        await registration.AnnounceAsync(() =>
        {
            _fixture.Topics.Put(new TopicConfig { TopicName = "made" });
            SpinWait.SpinUntil(() => _nameServer.Registered > atStart, LongEnough);
            _fixture.Topics.Put(new TopicConfig { TopicName = "made-too" });
        });

        Assert.NotNull(_nameServer.Find("made-too"));
        Assert.Equal(1, _nameServer.Registered - atStart);
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_AChangeThatFails_TellsWhatIsChangedAllTheSame()
    {
        await using NameServerRegistration registration = _fixture.New(Period, _nameServer.Address);
        await registration.StartAsync(CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => registration.AnnounceAsync(() =>
        {
            _fixture.Topics.Put(new TopicConfig { TopicName = "made" });
            throw new InvalidOperationException("the second one is not made");
        }));

        await Eventually.TrueAsync(() => _nameServer.Find("made") is not null, "the registration is to come");
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_NameServerHangs_CompletesAllTheSame()
    {
        await using NameServerRegistration registration = _fixture.New(Period, _nameServer.Address);
        await registration.StartAsync(CancellationToken.None);
        _nameServer.BeforeAnswer = () => _mayAnswer.Task;

        Task announced = registration.AnnounceAsync(() => _fixture.Topics.Put(new TopicConfig { TopicName = "made" }));
        await Eventually.TrueAsync(() => _nameServer.Find("made") is not null, "the registration is to come");
        _fixture.Time.Advance(TimeSpan.FromSeconds(3));
        await announced;

        Assert.NotNull(_fixture.Topics.Find("made"));
        _mayAnswer.SetResult();
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    [Fact]
    public async Task Announce_NotRegistered_ChangesAtOnce()
    {
        await using NameServerRegistration registration = _fixture.New(Period, "127.0.0.1:1");

        await registration.AnnounceAsync(() => _fixture.Topics.Put(new TopicConfig { TopicName = "made" }));

        Assert.NotNull(_fixture.Topics.Find("made"));
    }
}
