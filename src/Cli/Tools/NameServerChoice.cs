using GrayMQ.Remoting.Clients;

namespace GrayMQ.Cli.Tools;

/// <summary>Which name servers are asked, and who said so.</summary>
internal sealed record NameServerChoice(string Addresses, string Origin)
{
    public const string Default = "127.0.0.1:9876";

    /// <summary>The environment variable that RocketMQ's clients and tools read.</summary>
    public const string Variable = "NAMESRV_ADDR";

    /// <exception cref="CommandFailure">What was said is no list of addresses.</exception>
    public static NameServerChoice Make(string? option, IReadOnlyDictionary<string, string> variables) =>
        option is not null ? Checked(option, "--namesrv")
        : variables.GetValueOrDefault(Variable) is { Length: > 0 } variable ? Checked(variable, Variable)
        : new NameServerChoice(Default, "the default; --namesrv or NAMESRV_ADDR names another");

    private static NameServerChoice Checked(string addresses, string origin)
    {
        try
        {
            RemotingAddress.ParseList(addresses);
            return new NameServerChoice(addresses, origin);
        }
        catch (FormatException e)
        {
            throw CommandFailure.Usage($"{origin}: {e.Message}");
        }
    }
}
