using System.CommandLine;
using GrayMQ.Cli.Tools;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message …</c></summary>
internal static class MessageCommands
{
    public static Command Create(ToolHost host) => host.Group(
        "message",
        "Send, read and find messages, and send dead letters again",
        MessageSendCommand.Create(host),
        MessagePullCommand.Create(host),
        MessageViewCommand.Create(host),
        MessageQueryCommand.Create(host),
        MessageResendCommand.Create(host));
}
