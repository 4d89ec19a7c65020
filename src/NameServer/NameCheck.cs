using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.NameServer;

/// <summary>Checks names that come from outside before they are kept and handed to others.</summary>
internal static class NameCheck
{
    /// <exception cref="RemotingException">It is empty, too long, or holds control characters.</exception>
    public static string Require(string what, string name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw Refused($"the {what} is empty");
        }

        if (name.Length > NameServerLimits.MaxNameLength)
        {
            throw Refused($"the {what} has {name.Length} characters: expected at most {NameServerLimits.MaxNameLength}");
        }

        return name.Any(char.IsControl) ? throw Refused($"the {what} holds control characters") : name;
    }

    private static RemotingException Refused(string remark) => new(ResponseCode.SystemError, remark);
}
