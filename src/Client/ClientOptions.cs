using System.Net.Security;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.Client;

/// <summary>
/// What producers, consumers and the administration client have in common. Options are read when the client is made: changes
/// made to them afterwards have no effect on it, but for <see cref="GraySwitch"/> and <see cref="GrayFlag"/>, which clients that were made
/// by dependency injection follow.
/// </summary>
public abstract class ClientOptions
{
    /// <summary>The environment variable that names the name servers where the options do not (as for RocketMQ's clients).</summary>
    public const string NameServersVariable = "NAMESRV_ADDR";

    /// <summary>
    /// Addresses of the name servers, <c>host:port[;host:port]</c>. Unless set, the value of the environment variable
    /// <see cref="NameServersVariable"/>.
    /// </summary>
    public string NameServers { get; set; } = Environment.GetEnvironmentVariable(NameServersVariable) ?? "";

    /// <summary>
    /// The second part of the client's id, <c>address@instance</c>; null makes one that no other client has. Two consumers of
    /// a group with one id count as one for the broker, so that they must not be alive at the same time.
    /// </summary>
    public string? InstanceName { get; set; }

    /// <summary>How long an answer to a request may take, unless a request has its own limit.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The time that making a connection may take, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the name servers are asked where the topics in use live.</summary>
    public TimeSpan RouteRefreshInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often brokers are told that this client is alive; they forget it after two minutes of silence.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How request headers are written: JSON, which every server reads, or RocketMQ's smaller binary form.</summary>
    public SerializeType SerializeType { get; set; } = SerializeType.Json;

    /// <summary>
    /// Whether this client takes part in gray releases: tells brokers on which side it is, and carries the mark of a gray message that is
    /// handled here to what its handler sends. May be changed while the client runs.
    /// </summary>
    public bool GraySwitch { get; set; }

    /// <summary>Whether this client is gray, where <see cref="GraySwitch"/> is on. May be changed while the client runs.</summary>
    public bool GrayFlag { get; set; }

    /// <summary>TLS settings; null connects without TLS.</summary>
    public SslClientAuthenticationOptions? Tls { get; set; }

    /// <summary>Checks all settings.</summary>
    /// <exception cref="ArgumentException">One or more settings are wrong; the message says which, and what is expected.</exception>
    public void Validate()
    {
        IReadOnlyList<string> problems = Problems();
        if (problems.Count > 0)
        {
            throw new ArgumentException($"{GetType().Name}: {string.Join("; ", problems)}");
        }
    }

    /// <summary>A sentence for each setting that is wrong.</summary>
    internal IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        FindProblems(problems);
        return problems;
    }

    /// <summary>Adds a sentence for each setting that is wrong.</summary>
    private protected virtual void FindProblems(List<string> problems)
    {
        try
        {
            RemotingAddress.ParseList(NameServers);
        }
        catch (FormatException e)
        {
            problems.Add($"{nameof(NameServers)}: {e.Message}");
        }

        if (InstanceName is "")
        {
            problems.Add($"{nameof(InstanceName)} is empty: expected null or a name");
        }

        RequirePositive(problems, RequestTimeout, nameof(RequestTimeout));
        RequirePositive(problems, ConnectTimeout, nameof(ConnectTimeout));
        RequirePositive(problems, RouteRefreshInterval, nameof(RouteRefreshInterval));
        RequirePositive(problems, HeartbeatInterval, nameof(HeartbeatInterval));
    }

    private protected static void RequirePositive(List<string> problems, TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero || value.TotalMilliseconds > int.MaxValue)
        {
            problems.Add($"{name} is {value}: expected more than zero and at most {int.MaxValue} ms");
        }
    }

    private protected static void RequireRange(List<string> problems, long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            problems.Add($"{name} is {value}: expected {least} to {most}");
        }
    }

    /// <summary>A copy that later changes by the caller do not reach.</summary>
    internal ClientOptions Copy() => (ClientOptions)MemberwiseClone();
}
