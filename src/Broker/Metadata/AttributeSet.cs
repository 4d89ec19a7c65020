using System.Collections.Frozen;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Metadata;

/// <summary>An attribute of topics or groups.</summary>
/// <param name="Changeable">Whether it may be set or removed after its bearer was created.</param>
/// <param name="FindProblem">What is wrong with a value; null when nothing is.</param>
internal sealed record AttributeDefinition(string Name, bool Changeable, Func<string, string?> FindProblem);

/// <summary>
/// The attributes that something may have, and how they are changed: <c>+key=value</c> sets, <c>-key</c> removes
/// (RocketMQ: AttributeUtil, AttributeParser).
/// </summary>
internal sealed class AttributeSet(params ReadOnlySpan<AttributeDefinition> definitions)
{
    private readonly FrozenDictionary<string, AttributeDefinition> _definitions = ToDictionary(definitions);

    /// <summary>Reads <c>+key1=value1,-key2</c> into keys with their sign and values.</summary>
    /// <exception cref="RemotingException">It is not of this form (SYSTEM_ERROR, as RocketMQ says).</exception>
    public static Dictionary<string, string> ParseModifications(string? text)
    {
        var modifications = new Dictionary<string, string>(StringComparer.Ordinal);
        if (string.IsNullOrEmpty(text))
        {
            return modifications;
        }

        foreach (string item in text.Split(','))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? item : item[..equals];
            string value = equals < 0 ? "" : item[(equals + 1)..];
            char sign = equals < 0 ? '-' : '+';
            if (!key.StartsWith(sign))
            {
                throw Refuse(equals < 0
                    ? $"delete attribute format is wrong: {key}, expected -key"
                    : $"add/alter attribute format is wrong: {key}, expected +key=value");
            }

            if (!modifications.TryAdd(key, value))
            {
                throw Refuse($"key duplication: {key}");
            }
        }

        return modifications;
    }

    /// <summary>The attributes after <paramref name="modifications"/>, whose keys begin with a sign.</summary>
    /// <param name="current">Attributes of what exists; null when it is being created.</param>
    /// <exception cref="RemotingException">The modifications cannot be made (SYSTEM_ERROR, as RocketMQ says).</exception>
    public Dictionary<string, string> Alter(
        IReadOnlyDictionary<string, string>? current, IReadOnlyDictionary<string, string> modifications)
    {
        var altered = current is null
            ? new Dictionary<string, string>(StringComparer.Ordinal)
            : new Dictionary<string, string>(current, StringComparer.Ordinal);
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string signedKey, string value) in modifications)
        {
            string key = signedKey.Length > 1 ? signedKey[1..] : "";
            if (key.Length == 0 || key.AsSpan().ContainsAny('+', '-'))
            {
                throw Refuse($"kv string format wrong: {signedKey}");
            }

            if (!named.Add(key))
            {
                throw Refuse($"alter duplication key. key: {key}");
            }

            bool set = signedKey[0] == '+';
            if (!set && signedKey[0] != '-')
            {
                throw Refuse($"wrong format key: {signedKey}, expected +key or -key");
            }

            if (!set && current is null)
            {
                throw Refuse($"only add attribute is supported while creating. key: {key}");
            }

            if (!set && !altered.ContainsKey(key))
            {
                throw Refuse($"attempt to delete a nonexistent key: {key}");
            }

            if (!_definitions.TryGetValue(key, out AttributeDefinition? definition))
            {
                throw Refuse($"unsupported key: {key}");
            }

            if (current is not null && !definition.Changeable)
            {
                throw Refuse($"attempt to update an unchangeable attribute. key: {key}");
            }

            if (!set)
            {
                altered.Remove(key);
            }
            else if (definition.FindProblem(value) is { } problem)
            {
                throw Refuse($"{key}={value}: {problem}");
            }
            else
            {
                altered[key] = value;
            }
        }

        return altered;
    }

    private static FrozenDictionary<string, AttributeDefinition> ToDictionary(ReadOnlySpan<AttributeDefinition> definitions) =>
        definitions.ToArray().ToFrozenDictionary(definition => definition.Name, StringComparer.Ordinal);

    private static RemotingException Refuse(string remark) => new(ResponseCode.SystemError, remark);
}
