using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Topics;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Registration;

/// <summary>What a broker registers with name servers, without the rest of the broker: its topics, a client, and a clock that the test moves.</summary>
internal sealed class RegistrationFixture : IAsyncDisposable
{
    private readonly BrokerDirectory _directory = new();

    public RegistrationFixture() => Topics = _directory.OpenTopics();

    public TopicTable Topics { get; }

    public RemotingClient Client { get; } =
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>When it is tried again; requests are timed by the system.</summary>
    public ManualTime Time => _directory.Time;

    public NameServerRegistration New(TimeSpan period, params string[] nameServers)
    {
        var options = new RegistrationOptions
        {
            NameServers = nameServers,
            ClusterName = "DefaultCluster",
            BrokerName = "broker-a",
            BrokerId = 0,
            BrokerAddress = "127.0.0.1:10911",
            HaServerAddress = "127.0.0.1:10912",
            Period = period,
            Timeout = TimeSpan.FromSeconds(60),
            Compress = false, // the compressed form does not carry the order
            NotActiveTimeout = TimeSpan.FromSeconds(120),
            BrokerPermission = new LiveSetting<int>(6),
        };
        return new NameServerRegistration(
            options,
            Topics,
            new RouteView(new NarrowRules(Topics, new GrayTable()), Time),
            Client,
            Time,
            NullLogger<NameServerRegistration>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _directory.Dispose();
    }
}
