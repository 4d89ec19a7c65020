using System.Buffers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>What a message must be to be sent (RocketMQ: Validators.checkMessage, Message.putUserProperty).</summary>
internal static class MessageRules
{
    private static readonly SearchValues<char> Separators = SearchValues.Create(
        (char)MessagePropertiesCodec.NameValueSeparator, (char)MessagePropertiesCodec.PropertySeparator);

    // What is written are milliseconds.
    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(1);

    /// <exception cref="ArgumentException">The message cannot be sent; the exception says why.</exception>
    public static void Require(Message message, int maxMessageBytes)
    {
        NameRules.RequireSendable(message.Topic);
        if (message.Body.IsEmpty)
        {
            throw new ArgumentException("the message's body is empty", nameof(message));
        }

        if (message.Body.Length > maxMessageBytes)
        {
            throw new ArgumentException(
                $"the message's body has {message.Body.Length} bytes: at most {maxMessageBytes} are sent", nameof(message));
        }

        foreach (string key in message.Keys)
        {
            if (string.IsNullOrEmpty(key) || key.Contains(MessageProperty.KeySeparator, StringComparison.Ordinal))
            {
                throw new ArgumentException($"key '{key}' is empty or holds a space", nameof(message));
            }

            RequireNoSeparators(MessageProperty.Keys, key);
        }

        RequireNoSeparators(MessageProperty.Tags, message.Tag);
        RequireNoSeparators(MessageProperty.UniqueKey, message.MessageId);
        RequireNoSeparators(MessageProperty.ShardingKey, message.ShardingKey);
        RequireOneDelay(message);
        if (message.PropertiesOrNull is { } properties)
        {
            foreach ((string name, string value) in properties)
            {
                RequireProperty(name, value);
            }
        }
    }

    private static void RequireOneDelay(Message message)
    {
        if (!message.IsDelayed)
        {
            return;
        }

        int ways = (message.Delay is null ? 0 : 1) + (message.DeliverAt is null ? 0 : 1) + (message.DelayLevel is null ? 0 : 1);
        if (ways > 1)
        {
            throw new ArgumentException(
                $"the message has {ways} of {nameof(Message.Delay)}, {nameof(Message.DeliverAt)} and {nameof(Message.DelayLevel)}: "
                + "expected one",
                nameof(message));
        }

        if (message.Delay is { } delay && delay < LeastDelay)
        {
            throw new ArgumentException(
                $"{nameof(Message.Delay)} is {delay}: expected {LeastDelay.TotalMilliseconds} ms or more", nameof(message));
        }

        if (message.DelayLevel is { } level and < 1)
        {
            throw new ArgumentException($"{nameof(Message.DelayLevel)} is {level}: expected 1 or more", nameof(message));
        }
    }

    private static void RequireProperty(string name, string value)
    {
        if (string.IsNullOrEmpty(name) || string.IsNullOrEmpty(value))
        {
            throw new ArgumentException($"property '{name}': neither name nor value may be empty");
        }

        if (ReservedProperties.Names.Contains(name))
        {
            throw new ArgumentException($"property {name} is used by RocketMQ itself");
        }

        RequireNoSeparators(name, name);
        RequireNoSeparators(name, value);
    }

    private static void RequireNoSeparators(string name, string? text)
    {
        if (text.AsSpan().ContainsAny(Separators))
        {
            throw new ArgumentException($"property {name} holds U+0001 or U+0002, which separate properties");
        }
    }
}
