using System.Globalization;
using System.Net;
using System.Text;

namespace GrayMQ.Settings;

/// <summary>
/// Makes definitions. Everything that is rarely said is said with <c>with</c>:
/// <c>Setting.Int32("listenPort", 10911, "TCP port of the broker.", 1, 65535) with { ChangeableWhileRunning = true }</c>.
/// </summary>
public static class Setting
{
    public static SettingDefinition<bool> Boolean(string key, bool defaultValue, string description) =>
        new(key, defaultValue, description, new BooleanSyntax());

    /// <summary>A Java int; <paramref name="min"/> and <paramref name="max"/> are allowed values themselves.</summary>
    public static SettingDefinition<int> Int32(
        string key, int defaultValue, string description, int min = int.MinValue, int max = int.MaxValue) =>
        new(key, defaultValue, description, new NumberSyntax<int>(min, max, "integer", NumberStyles.AllowLeadingSign));

    /// <summary>A Java long; <paramref name="min"/> and <paramref name="max"/> are allowed values themselves.</summary>
    public static SettingDefinition<long> Int64(
        string key, long defaultValue, string description, long min = long.MinValue, long max = long.MaxValue) =>
        new(key, defaultValue, description, new NumberSyntax<long>(min, max, "integer", NumberStyles.AllowLeadingSign));

    /// <summary>A Java double, float included; not a number and infinity are refused.</summary>
    public static SettingDefinition<double> Double(
        string key, double defaultValue, string description, double min = double.MinValue, double max = double.MaxValue) =>
        new(key, defaultValue, description, new NumberSyntax<double>(min, max, "number", NumberStyles.Float));

    /// <summary>Any text, white space around it removed.</summary>
    public static SettingDefinition<string> Text(string key, string defaultValue, string description) =>
        new(key, defaultValue, description, new TextSyntax());

    /// <summary>An IP address, v4 or v6.</summary>
    public static SettingDefinition<string> Address(string key, string defaultValue, string description) =>
        Text(key, defaultValue, description) with { Check = static text => IPAddress.TryParse(text, out _) ? null : "an IP address" };

    /// <summary>Items separated by ';'.</summary>
    public static SettingDefinition<IReadOnlyList<string>> List(
        string key, IReadOnlyList<string> defaultValue, string description) =>
        new(key, defaultValue, description, new ListSyntax());

    /// <summary>The members of an enum in RocketMQ's spelling: SyncFlush is written SYNC_FLUSH.</summary>
    public static SettingDefinition<TEnum> Choice<TEnum>(string key, TEnum defaultValue, string description)
        where TEnum : struct, Enum =>
        Choice(key, defaultValue, description,
            [.. Enum.GetValues<TEnum>().Select(value => (UpperSnake(value.ToString()), value))]);

    /// <summary>Values under names of one's own (tlsMode: disabled, permissive, enforcing).</summary>
    public static SettingDefinition<T> Choice<T>(
        string key, T defaultValue, string description, params (string Name, T Value)[] choices)
        where T : notnull
    {
        var syntax = new ChoiceSyntax<T>(choices);
        syntax.Format(defaultValue); // the default has to be one of the choices
        return new SettingDefinition<T>(key, defaultValue, description, syntax);
    }

    /// <summary>SyncFlush becomes SYNC_FLUSH; listenPort becomes LISTEN_PORT; brokerIP1 becomes BROKER_IP1.</summary>
    internal static string UpperSnake(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        for (int i = 0; i < name.Length; i++)
        {
            bool startsWord = i > 0 && char.IsUpper(name[i])
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord)
            {
                snake.Append('_');
            }
            snake.Append(char.ToUpperInvariant(name[i]));
        }
        return snake.ToString();
    }
}
