using System.Buffers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>What a message must be to be sent (RocketMQ: Validators.checkMessage, Message.putUserProperty).</summary>
internal static class MessageRules
{
    private static readonly SearchValues<char> Separators = SearchValues.Create(
        (char)MessagePropertiesCodec.NameValueSeparator, (char)MessagePropertiesCodec.PropertySeparator);

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
        if (message.PropertiesOrNull is { } properties)
        {
            foreach ((string name, string value) in properties)
            {
                RequireProperty(name, value);
            }
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
