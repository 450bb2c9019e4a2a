namespace Gateway.Chat;

internal static class ChatSetup
{
    public static IServiceCollection AddChat(this IServiceCollection services)
    {
        services.AddSingleton<ModelChat>();
        services.AddSingleton<BotChat>();
        services.AddSingleton<ChatCompletions>();
        services.AddSingleton<ModelList>();
        return services;
    }
}
